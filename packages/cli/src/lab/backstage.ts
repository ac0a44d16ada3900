/**
 * What servers and agents of a laboratory stand on: the database that several servers share, and small
 * disks where they are going to be filled.
 *
 * The database is reached over its Unix socket: a network namespace hides the machine's loopback from
 * whoever is in it, and hides no path.
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "@ttcs/store";
import { postgresObstacle, startPostgres, type TestPostgres } from "@ttcs/store/testing";
import { type Enrolment, newEnrolment } from "../identity/enrolment.ts";
import { SmallDisks } from "./chaos/small-disks.ts";
import { DATABASE_DIR } from "./folder.ts";
import { serverId } from "./network.ts";

/** These agents have a small disk each: one of them is not the reference. */
const DISK_AGENTS = ["h2", "h3"];

/** What a laboratory is asked for. */
interface BackstageOptions {
  readonly servers: number;
  /** True: it is going to be broken. */
  readonly chaos: boolean;
}

/** Why there can be only one server here; undefined when nothing speaks against more. */
export const serversObstacle = (): string | undefined => postgresObstacle();

/** See the module head. */
export class Backstage {
  readonly #dir: string;
  readonly #options: BackstageOptions;
  readonly disks = new SmallDisks(DISK_AGENTS);
  #database: TestPostgres | undefined;

  /** @param dir folder of the laboratory */
  constructor(dir: string, options: BackstageOptions) {
    this.#dir = dir;
    this.#options = options;
  }

  /** The database that the servers share; undefined: there is one server, and none. */
  get database(): TestPostgres | undefined {
    return this.#database;
  }

  /** Makes everything, before any process starts. */
  async open(): Promise<void> {
    const { servers, chaos } = this.#options;
    if (servers > 1) {
      // PostgreSQL runs as a user of its own, who has to come by here.
      chmodSync(this.#dir, 0o711);
      this.#database = await startPostgres(join(this.#dir, DATABASE_DIR));
    }
    if (!chaos) return;
    const folders = DISK_AGENTS.map((id) => join(this.#dir, id, "state"));
    const serverFolders = Array.from({ length: servers }, (_, i) => this.serverFolder(i));
    this.disks.mount([...folders, ...serverFolders]);
  }

  /** Folder of server number `index`, on a small disk if there are any. */
  serverFolder(index: number): string {
    return join(this.#dir, serverId(index));
  }

  /** The file that opens the authority's key, for all servers. */
  get authorityKey(): string {
    return join(this.#dir, "authority.key");
  }

  /** What the agents enrol with. */
  async enrolment(): Promise<Enrolment> {
    const store = openStore(
      this.databaseUrl ?? `sqlite:${join(this.serverFolder(0), "server.db")}`,
    );
    try {
      return await newEnrolment(store, this.authorityKey, "default");
    } finally {
      await store.close();
    }
  }

  /** The database's address for a server. */
  get databaseUrl(): string | undefined {
    if (this.#database === undefined) return undefined;
    const url = new URL(this.#database.url);
    url.searchParams.set("host", join(this.#dir, DATABASE_DIR));
    return url.href;
  }

  /** Takes everything away; the servers have ended. */
  close(): void {
    try {
      this.#database?.resume();
    } catch {
      // It is not running.
    }
    this.#database?.remove();
    this.#database = undefined;
    this.disks.close();
  }
}

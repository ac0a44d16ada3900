/**
 * One server's part in the question of who leads a domain.
 *
 * The lease is a row that is changed by compare-and-swap only, and it bears no wall clock. Whoever
 * does not hold it watches its renewals on his own monotonic clock and takes it, with a later term,
 * when they have stood still for the lease's life. The holder renews it, and stops leading some time
 * before anybody else may begin, counted from when its last good renewal was sent: so a process that
 * was stopped finds that out by itself, before it says anything (`mayLead`).
 *
 * When the database is gone nobody can take the lease either, so the holder goes on: a call that fails
 * counts like a renewal, but only as long as no agent has shown it a later term. It cannot see a
 * database that is gone for this server alone: then another one takes the lease, and agents, which obey
 * the latest term that they have seen, tell of it.
 *
 * Safety never rests on any of these times: agents refuse what is older than they have seen, and the
 * store refuses writes of an older term. After the leases of Gray and Cheriton (SOSP 1989), with the
 * fencing number of Chubby's sequencers (Burrows, OSDI 2006).
 */

/** A lease that was not renewed for this long may be taken (ms). */
export const LEASE_MS = 3_000;
/** Its holder renews it this often (ms). */
export const RENEW_MS = 1_000;
/** The holder stops leading so long before others may begin (ms): for their clocks and their haste. */
const MARGIN_MS = 500;
/** Those who do not hold the lease look at it this often (ms). */
const LOOK_MS = 200;
/** An answer that took longer tells of the past (ms). */
const STALE_MS = 1_500;
/** A renewal has been missed when none was seen for this long (ms). */
const LATE_MS = RENEW_MS + 2 * LOOK_MS;
/** Servers further down the list for a domain wait so much longer each (ms). */
const RANK_MS = 250;
/**
 * Terms beyond this are not believed. It leaves room for anything that servers have ever used, seconds
 * since 1970 among them, and for another 2^63 takings above it.
 */
export const TERM_BELIEVED_MAX = 2n ** 48n;

/** The lease as the store has it. */
export interface LeaseView {
  readonly holder: string;
  readonly addresses: readonly string[];
  readonly term: bigint;
  readonly renewals: bigint;
  readonly released: boolean;
}

/** A call of the store; its answer comes back with the same number. */
export type LeaseCall = { readonly call: number } & (
  | { readonly kind: "read" }
  | { readonly kind: "take"; readonly over: LeaseView | undefined; readonly term: bigint }
  | { readonly kind: "renew"; readonly term: bigint }
  | { readonly kind: "release"; readonly term: bigint }
);

/** What came of a call. */
export type LeaseAnswer =
  | { readonly kind: "row"; readonly row: LeaseView | undefined }
  | { readonly kind: "changed"; readonly changed: boolean }
  | { readonly kind: "failed"; readonly reason: string };

/** What the shell is asked to do. */
export type LeaseAction =
  | LeaseCall
  /** Begin to lead in this term; or, leading already, go on in this later one. */
  | { readonly kind: "lead"; readonly term: bigint }
  /** Stop leading: send agents away. */
  | { readonly kind: "follow"; readonly reason: string }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly text: string };

/** How a server takes part. */
export interface LeaseOptions {
  /** This run of this server, unlike any other run of any server. */
  readonly holder: string;
  /** The server without the run: a row of an earlier run is nobody's any more. */
  readonly isMyEarlierRun: (holder: string) => boolean;
  /** The first term of a domain that has none. */
  readonly firstTerm: bigint;
}

interface Pending {
  readonly sentMs: number;
  readonly made: LeaseCall;
}

/** See the module head. */
export class LeaseCore {
  readonly #options: LeaseOptions;
  #row: LeaseView | undefined;
  /** Since when the row is known to have stood still, on our clock (ms); NaN: not looked yet. */
  #stillSinceMs = Number.NaN;
  #hasLooked = false;
  #seenMs = Number.NEGATIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #pending: Pending | undefined;
  #calls = 0;
  /** The term that is ours; undefined: we do not lead. */
  #term: bigint | undefined;
  /** Until when we may lead, on our clock (ms). */
  #untilMs = Number.NEGATIVE_INFINITY;
  #renewSentMs = Number.NEGATIVE_INFINITY;
  #isDatabaseGone = false;
  /** The latest believable term that was shown to us. */
  #heardTerm = 0n;
  #rank = 0;
  #isEnding = false;
  #actions: LeaseAction[] = [];

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** The term in which this server leads; undefined: it does not. */
  get term(): bigint | undefined {
    return this.#term;
  }

  /** The lease as it was seen last. */
  get row(): LeaseView | undefined {
    return this.#row;
  }

  /** When the look at the lease was sent that was answered last (ms). */
  get seenMs(): number {
    return this.#seenMs;
  }

  /** True when the holder has missed a renewal: whoever is sent there may find nobody. */
  isLate(nowMs: number): boolean {
    return nowMs - this.#stillSinceMs > LATE_MS;
  }

  /** True while nobody leads, as far as is known, and a moment will tell who does. */
  get isUndecided(): boolean {
    if (this.#term !== undefined) return this.#heardTerm > this.#term;
    return !this.#hasLooked || !this.#row || this.#row.released;
  }

  /** Whether anything may be said in this term now. Ask before every batch of messages. */
  mayLead(nowMs: number): boolean {
    return this.#term !== undefined && nowMs < this.#untilMs && this.#heardTerm <= this.#term;
  }

  /** Call some ten times a second. */
  tick(nowMs: number): LeaseAction[] {
    // An answer that never comes must not stop everything else.
    if (this.#pending && nowMs - this.#pending.sentMs > 2 * STALE_MS) this.#pending = undefined;
    if (!this.#pending && !this.#isEnding) {
      if (this.#term === undefined) this.#watch(nowMs);
      else if (this.#heardTerm > this.#term) this.#send({ kind: "read" }, nowMs);
      else if (nowMs - this.#renewSentMs >= RENEW_MS) this.#renew(nowMs);
    }
    return this.#take();
  }

  /** The answer to a call; one that was not waited for any more is not heard. */
  answer(call: number, answer: LeaseAnswer, nowMs: number): LeaseAction[] {
    const pending = this.#pending;
    if (pending?.made.call !== call) return [];
    this.#pending = undefined;
    if (this.#isEnding) return [];
    const { made, sentMs } = pending;
    if (answer.kind === "failed") this.#failed(made, sentMs, answer.reason);
    else {
      if (this.#isDatabaseGone) this.#log("info", "the database answers again");
      this.#isDatabaseGone = false;
      if (answer.kind === "row") this.#looked(answer.row, sentMs, nowMs);
      else if (made.kind === "take") this.#taken(made.term, answer.changed, sentMs);
      else if (made.kind === "renew") this.#renewed(made.term, answer.changed, sentMs);
    }
    return this.#take();
  }

  /** An agent has shown a term. */
  heard(term: bigint, nowMs: number): LeaseAction[] {
    if (term <= this.#heardTerm) return [];
    if (term > TERM_BELIEVED_MAX + this.#ownTerms) {
      this.#log("warn", `term ${term} is not believed`);
      return this.#take();
    }
    this.#heardTerm = term;
    return this.#term !== undefined && term > this.#term ? this.tick(nowMs) : [];
  }

  /** Somebody asks for the leader: look again soon. */
  asked(nowMs: number): LeaseAction[] {
    if (this.#term === undefined) this.#lookedMs = Number.NEGATIVE_INFINITY;
    return this.tick(nowMs);
  }

  /** Where this server stands among those that could lead this domain; 0: first. */
  rank(place: number): void {
    this.#rank = place;
  }

  /** Give the lease back, so that another takes it at once; we take it only when nobody else does. */
  release(nowMs: number): LeaseAction[] {
    const term = this.#term;
    this.#term = undefined;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.#stillSinceMs = Number.NaN;
    if (term !== undefined) this.#send({ kind: "release", term }, nowMs);
    return this.#take();
  }

  /** The server ends: the same, for good. */
  end(nowMs: number): LeaseAction[] {
    this.#isEnding = true;
    return this.release(nowMs);
  }

  /** Own terms may lie above what is believed of others, by as many as were taken there. */
  get #ownTerms(): bigint {
    const known = this.#term ?? this.#row?.term ?? 0n;
    return known > TERM_BELIEVED_MAX ? known - TERM_BELIEVED_MAX : 0n;
  }

  #watch(nowMs: number): void {
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#send({ kind: "read" }, nowMs);
  }

  #looked(row: LeaseView | undefined, sentMs: number, nowMs: number): void {
    const before = this.#row;
    const isFirstLook = !this.#hasLooked;
    this.#seenMs = sentMs;
    this.#row = row;
    this.#hasLooked = true;
    if (row?.holder === this.#options.holder && !row.released) this.#own(row, nowMs);
    else if (this.#term !== undefined) this.#lost("another server leads");
    else {
      const isStale = nowMs - sentMs > STALE_MS;
      const isSame = isSameView(before, row);
      if (!isSame || isStale || Number.isNaN(this.#stillSinceMs)) this.#stillSinceMs = nowMs;
      const { isMyEarlierRun } = this.#options;
      const isOrphan = !row || row.released || (isFirstLook && isMyEarlierRun(row.holder));
      const waitMs = (isOrphan ? 0 : LEASE_MS) + this.#rank * RANK_MS;
      if (!isStale && nowMs - this.#stillSinceMs >= waitMs) this.#claim(row, nowMs);
    }
  }

  /** The row bears our name. */
  #own(row: LeaseView, nowMs: number): void {
    // The answer to our taking was lost; when it was sent is not known, so a renewal comes first.
    if (row.term !== this.#term) this.#lead(row.term, Number.NEGATIVE_INFINITY);
    // The later term is of no leader that this store knows: outrank it.
    else if (this.#heardTerm > row.term) this.#claim(row, nowMs);
  }

  #claim(over: LeaseView | undefined, nowMs: number): void {
    const { firstTerm } = this.#options;
    const known = over?.term ?? firstTerm - 1n;
    const term = (known > this.#heardTerm ? known : this.#heardTerm) + 1n;
    this.#send({ kind: "take", over, term }, nowMs);
  }

  #taken(term: bigint, changed: boolean, sentMs: number): void {
    if (changed) this.#lead(term, sentMs);
    else {
      if (this.#term !== undefined) this.#lost("another server has taken the lease");
      this.#stillSinceMs = Number.NaN;
      this.#lookedMs = Number.NEGATIVE_INFINITY;
    }
  }

  #lead(term: bigint, sentMs: number): void {
    this.#term = term;
    this.#untilMs = sentMs + LEASE_MS - MARGIN_MS;
    this.#renewSentMs = sentMs;
    this.#actions.push({ kind: "lead", term });
  }

  #renew(nowMs: number): void {
    this.#renewSentMs = nowMs;
    this.#send({ kind: "renew", term: this.#term! }, nowMs);
  }

  #renewed(term: bigint, changed: boolean, sentMs: number): void {
    if (term !== this.#term) return;
    if (changed) this.#untilMs = Math.max(this.#untilMs, sentMs + LEASE_MS - MARGIN_MS);
    else this.#lost("another server has taken the lease");
  }

  #failed(made: LeaseCall, sentMs: number, reason: string): void {
    if (!this.#isDatabaseGone) {
      const goesOn = this.#term === undefined ? "" : "; this server goes on leading";
      this.#log("warn", `the database is gone (${reason})${goesOn}`);
    }
    this.#isDatabaseGone = true;
    // After an outage the holder shall have the first word: renewals are watched anew.
    this.#stillSinceMs = Number.NaN;
    // Only who led when it called goes on: a process that was stopped meanwhile has lost its lease, and
    // another one may have taken it before the database went.
    const wasLeading = sentMs < this.#untilMs;
    if (made.kind === "renew" && made.term === this.#term && wasLeading) {
      this.#untilMs = Math.max(this.#untilMs, sentMs + LEASE_MS - MARGIN_MS);
    }
  }

  #lost(reason: string): void {
    this.#term = undefined;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.#stillSinceMs = Number.NaN;
    this.#lookedMs = Number.NEGATIVE_INFINITY;
    this.#actions.push({ kind: "follow", reason });
  }

  #send(call: DistributiveOmit<LeaseCall, "call">, nowMs: number): void {
    const made = { ...call, call: ++this.#calls } as LeaseCall;
    this.#pending = { sentMs: nowMs, made };
    this.#actions.push(made);
  }

  #log(level: "info" | "warn", text: string): void {
    this.#actions.push({ kind: "log", level, text });
  }

  #take(): LeaseAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

function isSameView(a: LeaseView | undefined, b: LeaseView | undefined): boolean {
  return a?.term === b?.term && a?.renewals === b?.renewals && a?.released === b?.released;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** One line on a terminal while a run goes on, from the time on when one begins to wonder. */

/** Shorter runs tell nothing (ms); then it is told this often (ms). */
const QUIET_MS = 2_000;
const TELL_EVERY_MS = 200;

/** See the module head. */
export class Progress {
  readonly #name: string;
  readonly #seconds: number;
  readonly #startMs = performance.now();
  #toldMs = 0;

  constructor(name: string, seconds: number) {
    this.#name = name;
    this.#seconds = seconds;
  }

  /** Wall clock since the start (s). */
  get tookS(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  tell(simulatedS: number): void {
    const nowMs = performance.now();
    if (!process.stderr.isTTY || nowMs - this.#startMs < QUIET_MS) return;
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = nowMs;
    const speed = (simulatedS / this.tookS).toFixed(1);
    const part = `${simulatedS.toFixed(0)} of ${this.#seconds} s, ${speed} x real time`;
    process.stderr.write(`\r\x1b[K${this.#name}: ${part}`);
  }

  clear(): void {
    if (process.stderr.isTTY && this.#toldMs > 0) process.stderr.write("\r\x1b[K");
  }
}

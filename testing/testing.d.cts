/** A fault: KMS operations that fail or answer late. See docs/reference/test-api.md. */
export interface Fault {
  /** Names of KMS operations, or `*`. */
  readonly operations: readonly string[]
  readonly error?:
    | 'ThrottlingException'
    | 'KMSInternalException'
    | 'KeyUnavailableException'
    | 'DependencyTimeoutException'
  readonly delayMs?: number
  /** Number of calls that it applies to. */
  readonly count?: number
}

/** A file for `trent apply`, or what such a file says. */
export type Seed = string | object

export interface StartOptions {
  /** Accounts, users and keys that the server starts with, and that a reset returns to. */
  readonly seed?: Seed
  /** Further settings: `TRENT_…`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Milliseconds that a start may take. Default: 60,000. */
  readonly startMsMax?: number
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A running server of the tests. */
export interface Trent {
  readonly url: string
  readonly accountId: string
  readonly region: string
  /** Of the root user of the first account. */
  readonly credentials: Credentials
  /** For the clients of the AWS SDK: `new KMSClient(trent.clientConfig)`. */
  readonly clientConfig: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: Credentials
  }
  /** The same for a process: `AWS_ENDPOINT_URL` and so on. */
  readonly environment: Readonly<Record<string, string>>
  /** The clock of the server. Each call returns its time. */
  readonly clock: {
    now(): Promise<Date>
    /** @param by such as `91d`: `s`, `m`, `h`, `d` */
    advance(by: string): Promise<Date>
    set(to: Date | string | number): Promise<Date>
  }
  readonly faults: {
    list(): Promise<Fault[]>
    /** Replaces all faults. */
    set(faults: readonly Fault[]): Promise<void>
    clear(): Promise<void>
  }
  /** Applies a further seed to the running server. */
  seed(seed: Seed): Promise<void>
  /** Empties the server, and applies the seed of its start again. */
  reset(): Promise<void>
  /** What the server has logged, in JSON lines. */
  log(): string
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

/** Starts a server on a free port, with data of its own. Rejects with the line of a refused start. */
export function startTrent(options?: StartOptions): Promise<Trent>

/** The hooks of a test runner, with the names of Jest and Vitest. */
export interface Hooks {
  readonly beforeAll: (start: () => Promise<void>, milliseconds?: number) => unknown
  readonly afterAll: (stop: () => Promise<void>) => unknown
}

/**
 * Starts a server before the tests of a file, and stops it after them. Use what it returns inside of tests.
 * @param hooks default: the global ones of Jest and Vitest, else those of node:test
 */
export function useTrent(options?: StartOptions, hooks?: Hooks): Trent

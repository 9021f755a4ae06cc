/** What a run measures, from the environment: `BENCH_…`. Lists have commas. @module */

function list(name: string, byDefault: string): readonly string[] {
  return (process.env[name] ?? byDefault).split(',').filter((each) => each !== '')
}

function numbers(name: string, byDefault: string): readonly number[] {
  const values = list(name, byDefault).map(Number)
  if (values.every((each) => each > 0)) return values
  throw new Error(`${name}: a number is not positive`)
}

function number(name: string, byDefault: number): number {
  const [value = byDefault] = numbers(name, String(byDefault))
  return value
}

export const settings = {
  /** Names of `bench/cases.ts`. */
  cases: list('BENCH_CASES', 'Encrypt,Decrypt,GenerateDataKey,Sign-P256,DescribeKey'),
  /** `root`, `user` (by IAM policies) or `grantee-N` (one of N grantees of a key). */
  callers: list('BENCH_CALLERS', 'root'),
  /** Numbers of symmetric keys in the account. Each call names one at random. */
  keys: numbers('BENCH_KEYS', '1'),
  /** Bytes of a plaintext or a message. */
  bytes: numbers('BENCH_BYTES', '32'),
  /** Numbers of workers of Trent. */
  workers: numbers('BENCH_WORKERS', '1'),
  /** Where Trent keeps its data: `disk` or `tmpfs`; `delivered` is on disk and delivers its audit records. */
  storage: list('BENCH_STORAGE', 'disk'),
  /** `local-kms`, `ministack`, `moto`. The first use installs them. */
  peers: list('BENCH_PEERS', ''),
  /** Open loops after the closed one: requests a second, or `half` of what the closed loop reached. */
  rates: list('BENCH_RATES', 'half'),
  /** Settings of Trent in addition, with semicolons: `TRENT_QUOTAS=aws;…`. */
  trent: Object.fromEntries(
    (process.env['BENCH_TRENT'] ?? '')
      .split(';')
      .filter((each) => each !== '')
      .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  ),
  connections: number('BENCH_CONNECTIONS', 64),
  /** Requests to a server in all rounds of a case together, and the seconds that they may take. */
  requests: number('BENCH_REQUESTS', 6000),
  seconds: number('BENCH_SECONDS', 12),
  rounds: number('BENCH_ROUNDS', 3),
  /** Requests before the first round, and at least one for each key. */
  warming: number('BENCH_WARMING', 8000),
  /** Also prints the CPU time of each thread. */
  threads: process.env['BENCH_THREADS'] === 'on',
} as const

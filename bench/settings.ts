/** What a run measures, from the environment: `BENCH_…`, lists with commas. @module */

function list(name: string, byDefault: string): readonly string[] {
  return (process.env[name] ?? byDefault).split(',').filter((each) => each !== '')
}

function number(name: string, byDefault: number): number {
  const value = Number(process.env[name] ?? byDefault)
  if (!(value > 0)) throw new Error(`${name} is not a positive number`)
  return value
}

export const settings = {
  /** Names of `bench/cases.ts`. */
  cases: list('BENCH_CASES', 'Encrypt,Decrypt,GenerateDataKey,Sign-P256,DescribeKey'),
  /** Requests of a case and a server, in all rounds together. */
  requests: number('BENCH_REQUESTS', 6000),
  rounds: number('BENCH_ROUNDS', 3),
  connections: number('BENCH_CONNECTIONS', 64),
  warming: number('BENCH_WARMING', 3000),
  /** Numbers of workers. */
  workers: list('BENCH_WORKERS', '1').map(Number),
  /** Bytes of a plaintext or a message. */
  bytes: list('BENCH_BYTES', '32').map(Number),
  /** Open loops after the closed one: requests a second, or `half` of what the closed loop reached. */
  rates: list('BENCH_RATES', 'half'),
  /** Also prints the CPU time of each thread. */
  threads: process.env['BENCH_THREADS'] === 'on',
} as const

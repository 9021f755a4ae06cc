/**
 * `npm run test:failures`: rounds of faults one after another, each on a new deployment, for about an hour. Results
 * and histories are kept in `.cache/failures/<seed>/`. The same seed goes on after the last round that is kept.
 *
 * TEST_SEED, TEST_ROUNDS and TEST_SECONDS choose the seed, the number of rounds, and the seconds of faults in each.
 * TEST_STRICT=false leaves out Patroni's strict mode. The nodes require a standby all the same, so nothing is lost.
 * Then come TEST_LOSS_ROUNDS rounds (3) in which commits wait for no standby, and changes are lost: `loss-round.ts`.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runLossRound, type LossResult } from './loss-round.ts'
import { patroniPrograms } from './patroni-programs.ts'
import { runRound, type RoundResult } from './round.ts'

const seed = Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000))
const rounds = Number(process.env['TEST_ROUNDS'] ?? 12)
const seconds = Number(process.env['TEST_SECONDS'] ?? 270)
const strict = process.env['TEST_STRICT'] !== 'false'
const lossRounds = Number(process.env['TEST_LOSS_ROUNDS'] ?? 3)
const folder = join(import.meta.dirname, '..', '..', '.cache', 'failures', String(seed))

const programs = await patroniPrograms()
if ('skip' in programs) {
  console.error(`the failure tests cannot run: ${programs.skip}`)
  process.exit(1)
}
mkdirSync(folder, { recursive: true })
console.log(`TEST_SEED=${seed} goes on with these rounds; they are kept in ${folder}`)
const log = (line: string): void => console.log(line)

/** Makes the rounds that are not kept yet. @returns the results of all that could be made */
async function made<T extends { readonly findings: readonly string[] }>(
  name: 'round' | 'loss',
  count: number,
  run: (round: number, history: string) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = []
  for (let round = 1; round <= count; round += 1) {
    const kept = join(folder, `${name}-${round}.json`)
    if (!existsSync(kept)) {
      console.log(`${name} ${round} of ${count}`)
      const history = join(folder, `${name}-${round}.jsonl`)
      const result = await run(round, history).catch((error: unknown) => console.log(error))
      // Its log is above. The next run with this seed makes it again.
      if (result === undefined) continue
      writeFileSync(`${kept}.part`, `${JSON.stringify(result, undefined, 2)}\n`)
      renameSync(`${kept}.part`, kept)
      for (const finding of result.findings) console.log(`FOUND: ${finding}`)
    }
    results.push(JSON.parse(readFileSync(kept, 'utf8')) as T)
  }
  return results
}

const results = await made<RoundResult>('round', rounds, (round, history) =>
  runRound({ programs, seed: seed * 1000 + round, seconds, strict, history, log }),
)
if (results.some(({ hasDisks }) => !hasDisks)) {
  console.log('no file system can be mounted here: no disk ran full')
}
const losses = await made<LossResult>('loss', lossRounds, (round, history) =>
  runLossRound({ programs, seed: seed * 1000 + 500 + round, history, log }),
)
const sum = (of: (result: RoundResult) => number): number =>
  results.reduce((all, result) => all + of(result), 0)
const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, each) => all + each, 0)
const findings = [...results, ...losses].flatMap((result) => result.findings)
const lost = losses.reduce((all, each) => all + each.lost, 0)
console.log(
  [
    `${sum(({ faults }) => total(faults))} faults in ${results.length} of ${rounds} rounds`,
    `${sum(({ failovers }) => failovers)} failovers`,
    `${sum(({ answers }) => total(answers))} calls, ${sum(({ answers }) => answers['ok'] ?? 0)} of them successful`,
    `${sum(({ entries }) => entries)} entries of ${sum(({ registers }) => registers)} histories`,
    `${sum(({ undecided }) => undecided.length)} histories with too many orders to look at`,
    `${sum(({ ciphertexts }) => ciphertexts)} ciphertexts and ${sum(({ records }) => records)} records`,
    `${sum(({ ends }) => ends.length)} times a node ended by itself, or could not start`,
    `${lost} changes lost in ${losses.length} of ${lossRounds} rounds without a required standby`,
    `${findings.length} findings`,
  ].join('\n'),
)
const isWhole = results.length === rounds && losses.length === lossRounds
process.exit(findings.length === 0 && isWhole ? 0 : 1)

/**
 * `npm run test:failures`: rounds of faults one after another, each on a new deployment, for about an hour. Results
 * and histories are kept in `.cache/failures/<seed>/`. The same seed goes on after the last round that is kept.
 *
 * TEST_SEED, TEST_ROUNDS and TEST_SECONDS choose the seed, the number of rounds, and the seconds of faults in each.
 * TEST_STRICT=false leaves out Patroni's strict mode. The nodes require a standby all the same, so nothing is lost.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { patroniPrograms } from './patroni-programs.ts'
import { runRound, type RoundResult } from './round.ts'

const seed = Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000))
const rounds = Number(process.env['TEST_ROUNDS'] ?? 12)
const seconds = Number(process.env['TEST_SECONDS'] ?? 270)
const strict = process.env['TEST_STRICT'] !== 'false'
const folder = join(import.meta.dirname, '..', '..', '.cache', 'failures', String(seed))

const programs = await patroniPrograms()
if ('skip' in programs) {
  console.error(`the failure tests cannot run: ${programs.skip}`)
  process.exit(1)
}
mkdirSync(folder, { recursive: true })
console.log(`TEST_SEED=${seed} goes on with these rounds; they are kept in ${folder}`)
for (let round = 1; round <= rounds; round += 1) {
  const kept = join(folder, `round-${round}.json`)
  if (existsSync(kept)) continue
  console.log(`round ${round} of ${rounds}`)
  const history = join(folder, `round-${round}.jsonl`)
  const log = (line: string): void => console.log(line)
  const settings = { programs, seed: seed * 1000 + round, seconds, strict, history, log }
  const result = await runRound(settings).catch((error: unknown) => console.log(error))
  // Its log is above. The next run with this seed makes it again.
  if (result === undefined) continue
  writeFileSync(`${kept}.part`, `${JSON.stringify(result, undefined, 2)}\n`)
  renameSync(`${kept}.part`, kept)
  for (const finding of result.findings) console.log(`FOUND: ${finding}`)
  if (!result.hasDisks) console.log('no file system can be mounted here: no disk ran full')
}

const results = Array.from({ length: rounds }, (_, index) =>
  join(folder, `round-${index + 1}.json`),
)
  .filter((kept) => existsSync(kept))
  .map((kept) => JSON.parse(readFileSync(kept, 'utf8')) as RoundResult)
const sum = (of: (result: RoundResult) => number): number =>
  results.reduce((all, result) => all + of(result), 0)
const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, each) => all + each, 0)
const findings = results.flatMap((result) => result.findings)
console.log(
  [
    `${sum(({ faults }) => total(faults))} faults in ${results.length} of ${rounds} rounds`,
    `${sum(({ failovers }) => failovers)} failovers`,
    `${sum(({ answers }) => total(answers))} calls, ${sum(({ answers }) => answers['ok'] ?? 0)} of them successful`,
    `${sum(({ entries }) => entries)} entries of ${sum(({ registers }) => registers)} histories`,
    `${sum(({ undecided }) => undecided.length)} histories with too many orders to look at`,
    `${sum(({ ciphertexts }) => ciphertexts)} ciphertexts and ${sum(({ records }) => records)} records`,
    `${sum(({ ends }) => ends.length)} times a node ended by itself, or could not start`,
    `${findings.length} findings`,
  ].join('\n'),
)
process.exit(findings.length === 0 && results.length === rounds ? 0 : 1)

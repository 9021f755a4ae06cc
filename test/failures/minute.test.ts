/** A minute of the failure test. `npm run test:failures` runs it for an hour. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patroniPrograms } from './patroni-programs.ts'
import { runRound } from './round.ts'

const programs = await patroniPrograms()
const skip = 'skip' in programs ? programs.skip : false

test(
  'three nodes on a synchronous cluster lose nothing that was answered, and decide nothing by old state',
  { skip, timeout: 600_000 },
  async (t) => {
    assert.ok(!('skip' in programs))
    const seed = Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000))
    const lines: string[] = []
    const log = (line: string): void => void lines.push(line)
    const result = await runRound({ programs, seed, seconds: 60, log }).catch((error: unknown) => {
      throw new Error(`TEST_SEED=${seed}\n${lines.join('\n')}`, { cause: error })
    })
    const { faults, failovers, answers, entries, registers, undecided, findings } = result
    t.diagnostic(
      `TEST_SEED=${seed}: ${JSON.stringify(faults)}, ${failovers} failovers, ${answers['ok']} calls, ` +
        `${entries} entries of ${registers} histories`,
    )
    if (!result.hasDisks) t.diagnostic('no file system can be mounted here: no disk ran full')
    assert.deepEqual(findings, [], lines.join('\n'))
    assert.deepEqual(undecided, [])
    // The test would also pass if nothing happened.
    const made = Object.values(faults).reduce((sum, each) => sum + each, 0)
    assert.ok(made >= 5 && failovers >= 1, `${made} faults, ${failovers} failovers`)
    assert.ok((answers['ok'] ?? 0) > 50, 'the nodes answer hardly anything')
  },
)

/** What tests of `trent doctor` share. @module */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import { examine } from '../../src/cli/doctor.ts'
import type { CheckName, Finding, State } from '../../src/cli/doctor/finding.ts'
import { loadConfig } from '../../src/config.ts'
import { end, freePort, serve, temporaryFolder, type Settings } from './serve-process.ts'

/** The findings of this process, which costs no start of another one. */
export function examined(folder: string, settings: Settings = {}): Promise<readonly Finding[]> {
  return examine(loadConfig({ ...freePort(folder), ...settings }, join(folder, 'settings')))
}

/** Requires one finding, and that no other check has failed. */
export function requireFinding(
  findings: readonly Finding[],
  check: CheckName,
  state: State,
  found: RegExp,
  todo: RegExp = /./,
): void {
  const shown = JSON.stringify(findings, undefined, 1)
  const others = findings.filter((each) => each.state === 'failed' && each.check !== check)
  assert.deepEqual(others, [], shown)
  const match = findings.find((each) => each.check === check && found.test(each.found))
  assert.equal(match?.state, state, shown)
  if (state === 'failed' || state === 'warning') assert.match(match?.todo ?? '', todo)
}

/**
 * Makes a stopped deployment, once for the tests of a file.
 * @returns a function that gives a test a copy of it
 */
export function stoppedDeployment(): (t: TestContext) => string {
  let stopped = ''
  const ending: (() => unknown)[] = []
  before(async () => {
    const t = { after: (work: () => unknown) => ending.push(work) } as unknown as TestContext // all that is used
    stopped = temporaryFolder(t)
    writeFileSync(join(stopped, 'settings'), '', { mode: 0o600 })
    await end(await serve(t, stopped), 'SIGTERM')
  })
  after(async () => {
    for (const work of ending) await work()
  })
  return (t) => {
    const folder = temporaryFolder(t)
    cpSync(stopped, folder, { recursive: true, preserveTimestamps: true })
    return folder
  }
}

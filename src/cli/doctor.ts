/**
 * `trent doctor`: checks everything that a start and calls need, and says what to do about whatever is wrong.
 * It works on a stopped deployment and next to a running one, and changes neither.
 * @module
 */
import { styleText } from 'node:util'
import type { Config } from '../config.ts'
import { nodeFiles, type FilePort } from '../disk/files.ts'
import { processTime } from '../jobs/clock.ts'
import { inJson, visibleIn } from '../model/visible.ts'
import { version } from '../version.ts'
import { clockOutcomes } from './doctor/clock.ts'
import { checkDatabase, type DatabaseCheck } from './doctor/database.ts'
import { checks, look, skipped, type Finding, type State } from './doctor/finding.ts'
import { diskOutcomes, permissionOutcomes } from './doctor/places.ts'
import { portOutcomes, tlsOutcomes } from './doctor/ports.ts'
import { findRunning, serverOutcomes, type Running } from './doctor/running.ts'
import { sealOutcomes } from './doctor/seal.ts'
import { checkSettings } from './doctor/settings.ts'

/** Prints the findings. The exit status is 0 when nothing has failed, and 1 otherwise. */
export async function doctor(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  const { config, findings } = await checkSettings(process.env, configFile)
  const all = [...findings, ...(config === undefined ? withoutSettings() : await examine(config))]
  const healthy = all.every(({ state }) => state !== 'failed')
  process.stdout.write(
    options.json ? inJson({ version, healthy, findings: all }) : textOf(visibleIn(all)),
  )
  process.exitCode = healthy ? 0 : 1
}

function withoutSettings(): readonly Finding[] {
  return checks
    .filter((check) => check !== 'settings')
    .map((check) => ({ check, ...skipped('the settings must be right first') }))
}

/** @param files tells the room on the disks */
export async function examine(
  config: Config,
  files: Pick<FilePort, 'freeBytes'> = nodeFiles,
): Promise<readonly Finding[]> {
  const running = await findRunning(config.operatorDirectory)
  const now = processTime.system()
  let stored: DatabaseCheck['stored']
  const held = running.kind === 'serving' ? running.status.clock.held : undefined
  const database = await look('database', databaseTodo(config, running), async () => {
    const check = await checkDatabase(config, running)
    stored = check.stored
    return check.outcomes
  })
  const isRead = database.every(({ state }) => state !== 'failed')
  return [
    await look('server', '', () => serverOutcomes(running)),
    await look('permissions', '', () => permissionOutcomes(config)),
    await look('tls', '', () => tlsOutcomes(config, now)),
    await look('ports', '', () => portOutcomes(config, running)),
    await look('disk', 'mount the disk of this directory', () => diskOutcomes(config, files)),
    database,
    await look('clock', '', () => clockOutcomes({ now, held, stored })),
    await look('seal', 'see docs/operations/seals.md', () =>
      running.kind === 'stopped' && !isRead
        ? [skipped('the database cannot be read')]
        : sealOutcomes(config, running, stored),
    ),
  ].flat()
}

function databaseTodo({ databaseUrl }: Config, { kind }: Running): string {
  if (databaseUrl !== undefined) return 'see docs/operations/postgresql.md'
  return kind === 'stopped'
    ? 'see docs/operations/backup-and-repair.md'
    : 'see the log of the server'
}

const styles = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const

function textOf(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, state, found, todo }) => [
    // `styleText` leaves the colours out where nobody sees them, or NO_COLOR forbids them.
    `${styleText(styles[state], state.padEnd(8), { stream: process.stdout })} ${check.padEnd(12)} ${found}`,
    ...(todo === undefined || todo === '' ? [] : [`${' '.repeat(22)}-> ${todo}`]),
  ])
  const count = (state: State): number => findings.filter((each) => each.state === state).length
  const [failed, warned] = [count('failed'), count('warning')]
  const sum = failed + warned === 0 ? 'nothing to do' : `${failed} failed, ${warned} warnings`
  return `${lines.join('\n')}\n\n${sum}\n`
}

/**
 * A PostgreSQL server that archives its log, a base backup of it, and its recovery to a point in time, as
 * PostgreSQL's manual describes it. `pg_basebackup` does the same; not every package has it.
 * @see https://www.postgresql.org/docs/current/continuous-archiving.html
 * @module
 */
import { execFile } from 'node:child_process'
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { unprivilegedUser, type PostgresBinaries } from './postgres-binaries.ts'
import { startIn, startPostgres, stopProcess, type PostgresServer } from './postgres-server.ts'
import { asSuperuser } from './superuser.ts'

export interface ArchivedPostgres {
  readonly server: PostgresServer
  /** Copies the data directory while the server runs. */
  readonly takeBaseBackup: () => Promise<void>
  /** The server's time, as text. */
  readonly now: () => Promise<string>
  /** Ends the server, and starts the base backup as it was at a time. Returns its port. */
  readonly recoverTo: (time: string) => Promise<number>
}

/** Ended when the test ends. */
export async function startArchived(
  t: TestContext,
  binaries: PostgresBinaries,
): Promise<ArchivedPostgres> {
  const server = await startPostgres(binaries)
  t.after(() => server.stop())
  await stopProcess(server.process)
  const parent = dirname(server.folder)
  const archive = ownFolder(join(parent, 'archive'))
  const archiving = {
    archive_mode: 'on',
    wal_level: 'replica',
    archive_command: `cp %p '${archive}/%f'`,
  }
  const running = await startIn(server.folder, binaries, archiving)
  t.after(() => stopProcess(running.process))
  const address = { ...server, port: running.port }
  const base = join(parent, 'base')
  return {
    server: { ...server, ...running },
    async takeBaseBackup() {
      const { superuser: user, password } = server
      const host = '127.0.0.1'
      const client = new Client({ host, port: running.port, user, password, database: 'postgres' })
      await client.connect()
      try {
        await client.query("SELECT pg_backup_start('base', true)")
        await promisify(execFile)('cp', ['-a', server.folder, base])
        const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop()')
        const [label] = rows as readonly { readonly labelfile: string }[]
        for (const name of ['postmaster.pid', 'pg_wal']) {
          rmSync(join(base, name), { recursive: true })
        }
        ownFolder(join(base, 'pg_wal'))
        ownFile(join(base, 'backup_label'), label?.labelfile ?? '')
      } finally {
        await client.end()
      }
    },
    async now() {
      const [row] = await asSuperuser(address, 'postgres', 'SELECT now()::text AS now')
      return String(row?.['now'])
    },
    async recoverTo(time) {
      await asSuperuser(address, 'postgres', 'SELECT pg_switch_wal()')
      await stopProcess(running.process)
      ownFile(join(base, 'recovery.signal'), '')
      const recovered = await startIn(base, binaries, {
        restore_command: `cp '${archive}/%f' %p`,
        recovery_target_time: time,
        recovery_target_action: 'promote',
      })
      t.after(() => stopProcess(recovered.process))
      return recovered.port
    },
  }
}

function ownFolder(path: string): string {
  mkdirSync(path, { mode: 0o700 })
  const user = unprivilegedUser()
  if (user !== undefined) chownSync(path, user.uid, user.gid)
  return path
}

function ownFile(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
  const user = unprivilegedUser()
  if (user !== undefined) chownSync(path, user.uid, user.gid)
}

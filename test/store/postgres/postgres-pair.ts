/** A primary and an asynchronous standby of it, for tests of a failover. @module */
import { execFile } from 'node:child_process'
import { chownSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { type FaultyProxy, startProxy } from './faulty-proxy.ts'
import { type PostgresBinaries, unprivilegedUser } from './postgres-binaries.ts'
import { startIn, startPostgres, stopProcess, type PostgresServer } from './postgres-server.ts'

export interface PostgresPair {
  readonly superuser: string
  readonly password: string
  readonly primary: Pick<PostgresServer, 'port' | 'process'>
  readonly standby: Pick<PostgresServer, 'port' | 'process'>
  /** What the standby receives passes through this. */
  readonly replication: FaultyProxy
  /** Ends the standby at once, and returns a function that starts it again. */
  readonly takeStandby: () => Promise<() => Promise<void>>
}

/** Ended when the test ends. */
export async function startPair(t: TestContext, binaries: PostgresBinaries): Promise<PostgresPair> {
  const server = await startPostgres(binaries)
  t.after(() => server.stop())
  await stopProcess(server.process)
  const copy = join(dirname(server.folder), 'standby')
  await promisify(execFile)('cp', ['-a', server.folder, copy])
  const signal = join(copy, 'standby.signal')
  writeFileSync(signal, '')
  const user = unprivilegedUser()
  if (user !== undefined) chownSync(signal, user.uid, user.gid)

  const primary = await startIn(server.folder, binaries, {})
  t.after(() => stopProcess(primary.process))
  const { superuser, password } = server
  const replication = await startProxy(t, primary.port)
  const follows = `host=127.0.0.1 port=${replication.port} user=${superuser} password=${password}`
  const startStandby = (): ReturnType<typeof startIn> =>
    startIn(copy, binaries, { primary_conninfo: follows })
  const standby = await startStandby()
  let running = standby.process
  t.after(() => stopProcess(running))
  const takeStandby = async (): Promise<() => Promise<void>> => {
    await stopProcess(running)
    return async () => void (running = (await startStandby()).process)
  }
  return { superuser, password, primary, standby, replication, takeStandby }
}

/** A PostgreSQL server with TLS, whose certificate is for `localhost`. @module */
import assert from 'node:assert/strict'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { certified } from '../../wire/certificate.ts'
import { installedPostgres, unprivilegedUser } from './postgres-binaries.ts'
import { startIn, startPostgres, stopProcess } from './postgres-server.ts'

export interface TlsServer {
  readonly superuser: string
  readonly password: string
  readonly port: number
  /** The certificate of its authority. */
  readonly authority: string
  /** Gives it a certificate of another authority, for new connections. Returns the authority's. */
  readonly renew: () => Promise<string>
}

export async function serverWithTls(t: TestContext, version: number): Promise<TlsServer> {
  const binaries = installedPostgres().find((each) => each.version === version)
  assert.ok(binaries)
  const server = await startPostgres(binaries)
  t.after(() => server.stop())
  await stopProcess(server.process)
  const user = unprivilegedUser()
  const paths = { cert: join(server.folder, 'server.crt'), key: join(server.folder, 'server.key') }
  const certify = async (): Promise<string> => {
    const { authority, ...made } = await certified('localhost')
    for (const each of ['cert', 'key'] as const) {
      writeFileSync(paths[each], made[each], { mode: 0o600 })
      if (user !== undefined) chownSync(paths[each], user.uid, user.gid)
    }
    return authority
  }
  const authority = await certify()
  const { process, port } = await startIn(server.folder, binaries, {
    ssl: 'on',
    ssl_cert_file: paths.cert,
    ssl_key_file: paths.key,
  })
  t.after(() => stopProcess(process))
  const renew = async (): Promise<string> => {
    const other = await certify()
    process.kill('SIGHUP')
    return other
  }
  const { superuser, password } = server
  return { superuser, password, port, authority, renew }
}

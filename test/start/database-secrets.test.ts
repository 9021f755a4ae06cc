/** The certificate and the password of the database change under nodes that serve. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { skip, testedVersions } from '../store/postgres/shared-server.ts'
import { asSuperuser } from '../store/postgres/superuser.ts'
import { serverWithTls } from '../store/postgres/tls-server.ts'
import { eventually, readiness, refusedWith, startNode, type Node } from './node-process.ts'
import { end, serve, temporaryFolder } from './serve-process.ts'

const [version = 0] = testedVersions
const stepMaxMs = 60_000

/** @returns the error's name, with what the node logged last */
async function change({ client, stderr }: Node): Promise<string> {
  const name = await refusedWith(client.send(new CreateKeyCommand({})))
  return name === 'no error' ? name : `${name}: ${stderr().slice(-2000)}`
}
const isReady = async (node: Node): Promise<boolean> =>
  (await readiness(node))['status'] === 'ready'

test('a new CA and a new password of the database need no call to fail', { skip }, async (t) => {
  const server = await serverWithTls(t, version)
  const { superuser, password, port } = server
  const ca = join(temporaryFolder(t), 'ca.pem')
  writeFileSync(ca, server.authority)
  const verified = `sslmode=verify-full&sslrootcert=${ca}`
  const seal = join(temporaryFolder(t), 'seal.key')
  const settingsWith = (secret: string): Record<string, string> => ({
    TRENT_DATABASE_URL: `postgres://trent:${secret}@localhost:${port}/trent?${verified}`,
    TRENT_SEAL: `file:${seal}`,
    TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
    TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
  })
  const admin = (statements: string): Promise<unknown> =>
    asSuperuser({ superuser, password, port }, 'postgres', statements)
  await admin(`CREATE ROLE trent LOGIN PASSWORD 'first'`)
  await admin('CREATE DATABASE trent OWNER trent')
  const a = await startNode(t, settingsWith('first'))
  const b = await startNode(t, settingsWith('first'))
  // Nobody can go on with what is open.
  const disconnected = async (): Promise<void> => {
    await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'trent'`)
  }

  // The order of the documentation: both authorities, then the other certificate, then one authority.
  const before = server.authority
  const later = await server.renew()
  writeFileSync(ca, `${before}\n${later}\n`)
  await disconnected()
  for (const node of [a, b]) assert.equal(await change(node), 'no error')
  writeFileSync(ca, later)
  await disconnected()
  for (const node of [a, b]) assert.equal(await change(node), 'no error')

  // An authority that did not sign the certificate is no reason to trust it.
  writeFileSync(ca, before)
  await disconnected()
  for (const node of [a, b]) await eventually(stepMaxMs, async () => !(await isReady(node)))
  assert.match(String((await readiness(a))['reasons']), /certificate/)
  assert.notEqual(await change(a), 'no error')
  writeFileSync(ca, later)
  for (const node of [a, b]) await eventually(stepMaxMs, () => isReady(node))

  await admin(`ALTER ROLE trent PASSWORD 'second'`)
  for (const node of [a, b]) assert.equal(await change(node), 'no error')
  await end(a, 'SIGTERM')
  assert.equal(await change(b), 'no error')
  await assert.rejects(serve(t, a.folder, settingsWith('first')), /password authentication failed/)
  await serve(t, a.folder, settingsWith('second'))
  await end(b, 'SIGTERM')
  await serve(t, b.folder, settingsWith('second'))
})

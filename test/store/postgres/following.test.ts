/** The session by which a node confirms, and hears and sends messages. @module */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { openPostgres } from '../../../src/store/postgres/open-postgres.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'
import { templateWithTables } from './template.ts'

const [version = 0] = testedVersions
const channel = 'trent_test'

test('messages that are sent at once share a session', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version, await templateWithTables(version))
  const database = await openPostgres({ url })
  t.after(() => database.close())
  const { following } = database
  const messages = new EventEmitter()
  const heard: string[] = []
  following.hear(channel, (payload) => {
    heard.push(payload)
    messages.emit(payload)
  })
  const listeners = async (): Promise<readonly unknown[]> =>
    await admin(`SELECT pid FROM pg_stat_activity WHERE datname = current_database()
      AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN %' OR query LIKE 'SELECT pg_notify%')`)
  const sendAll = async (name: string): Promise<boolean> => {
    const sent = [1, 2, 3].map((number) => following.tell(channel, `${name}-${number}`))
    return (await Promise.allSettled(sent)).every(({ status }) => status === 'fulfilled')
  }
  assert.equal(await sendAll('first'), true)
  assert.equal((await listeners()).length, 1)
  await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`)
  // Until the node has seen the end of its session, nothing can be sent.
  for (let round = 0; !(await sendAll(`round-${round}`)); round += 1) assert.ok(round < 1000)
  assert.equal((await listeners()).length, 1)
  const last = once(messages, 'last')
  await following.tell(channel, 'last')
  await last
  for (const number of [1, 2, 3]) assert.ok(heard.includes(`first-${number}`), heard.join())
  assert.equal(new Set(heard).size, heard.length)
})

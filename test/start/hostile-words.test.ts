/** Words that others wrote, in the one line that a refused start or command says. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { refusal } from './refusal.ts'
import { temporaryFolder } from './serve-process.ts'

const tlsRequest = 80_877_103

/** A message of PostgreSQL's protocol: the password is wrong. */
function errorOf(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28P01\0M${message}\0\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

test('a database’s server cannot write to the terminal of whoever starts Trent', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined) // the other side may be gone
    socket.on('data', (bytes: Buffer) => {
      const asksForTls = bytes.length === 8 && bytes.readUInt32BE(4) === tlsRequest
      socket.write(asksForTls ? 'N' : errorOf('gone \u001b[2J\u001b]0;owned\u0007'))
    })
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const url = `postgres://user:word@127.0.0.1:${address.port}/trent?sslmode=disable`
  const line = await refusal(t, temporaryFolder(t), { TRENT_DATABASE_URL: url })
  assert.ok(line.includes('gone \\u001b[2J\\u001b]0;owned\\u0007'), line)
})

test('nor can a name in the line of a command', async (t) => {
  const command = ['--config', 'absent\u202e.env', 'migrate', 'sqlite-to-postgres']
  const line = await refusal(t, temporaryFolder(t), {}, command)
  assert.match(line, /^the settings file \S*absent\\u202e\.env cannot be read$/)
})

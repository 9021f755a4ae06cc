/** The guide to EDB's encryption of files: the commands that its server would run. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide } from './guide.ts'

const clients = await pythonClients()

test('a data key is wrapped, and unwrapped until the key is disabled', clients, async (t) => {
  const { server } = await followGuide(t, 'docs/guides/edb-tde.md', [clients], {
    notRun: { 'sudo install': 'it changes the machine, and there is no EDB here' },
    fails: ['aws kms disable-key'],
  })
  const decrypted = (await recordsOf(server.directory)).flatMap(({ eventName, errorCode }) =>
    eventName === 'Decrypt' ? [errorCode] : [],
  )
  assert.deepEqual(decrypted, [undefined, 'DisabledException', undefined, undefined])
})

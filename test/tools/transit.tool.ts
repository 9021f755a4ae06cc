/** The guide to moving from Vault's Transit engine: the import, with keys of OpenSSL in the form of Vault's. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide } from '../guides/guide.ts'

const clients = await pythonClients()
const why = 'no Vault with Transit can be built here'

test('imported keys go on with what they have signed', clients, async (t) => {
  const { server } = await followGuide(t, 'docs/guides/transit.md', [clients], {
    notRun: { 'vault write transit/keys': why, 'vault write -field=plaintext': why },
    fails: ['openssl dgst -sha256 -sign rsa.pem -sigopt'],
  })
  const imported = (await recordsOf(server.directory)).filter(
    ({ eventName, errorCode }) => eventName === 'ImportKeyMaterial' && errorCode === undefined,
  )
  assert.equal(imported.length, 4)
})

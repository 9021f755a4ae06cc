/**
 * The guide to Vault, which asks Trent to open its storage. Vault's own module has replacements, which `go install`
 * does not take, so a module here starts it. Of its SDK, the proxy of Go's modules serves no version that fits
 * exactly: seals, tokens and the cubbyhole work with the nearest one, and `vault secrets enable` does not.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const vault = await installed({
  name: 'vault',
  toolchain: ['go version'],
  sources: 'vault',
  fetch: ['go mod download'],
  build: ['go build -p 1 -o bin/vault .'],
})

test(
  'Vault unseals by a key in Trent, at each start, until it is disabled',
  { skip: clients.skip || vault.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/vault.md', [clients, vault], {
      stands: { '127.0.0.1:8200': `127.0.0.1:${await freeLoopbackPort()}` },
    })
    const calls = (await recordsOf(server.directory)).filter(({ userIdentity }) =>
      String(userIdentity['arn']).endsWith(':user/vault'),
    )
    const decrypted = calls.filter(({ eventName }) => eventName === 'Decrypt')
    assert.ok(decrypted.some(({ errorCode }) => errorCode === undefined))
    assert.ok(calls.some(({ errorCode }) => errorCode === 'DisabledException'))
  },
)

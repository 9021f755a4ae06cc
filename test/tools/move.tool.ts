/** The guide to moving from local-kms and moto: both run, and Trent takes over their keys. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { main } from '../start/serve-process.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const localKms = await installed({
  name: 'local-kms',
  toolchain: ['go version'],
  fetch: ['go install -p 1 github.com/nsmithuk/local-kms@v0.0.0-20260228092603-2a5e92d09ab6'],
})

test(
  'keys of local-kms and moto go on in Trent, and their ciphertexts by way of both',
  { skip: clients.skip || localKms.skip },
  async (t) => {
    const trent = `'${process.execPath}' '${main}'`
    const { server } = await followGuide(t, 'docs/guides/move.md', [clients, localKms], {
      stands: {
        '8080': String(await freeLoopbackPort()),
        '5000': String(await freeLoopbackPort()),
        'trent convert': `${trent} convert`,
        'trent apply keys': `${trent} apply keys`,
      },
      fails: ['aws kms decrypt --ciphertext-blob fileb://letter.old'],
    })
    const outcomes = (await recordsOf(server.directory)).map(
      ({ eventName, errorCode }) => `${eventName} ${errorCode ?? 'done'}`,
    )
    for (const outcome of ['Verify done', 'VerifyMac done', 'Decrypt InvalidCiphertextException'])
      assert.ok(outcomes.includes(outcome), outcome)
  },
)

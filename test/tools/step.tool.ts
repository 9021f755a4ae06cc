/** The guide to step-ca, which signs certificates with a key in Trent. OpenSSL judges what it issues. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const step = await installed({
  name: 'step',
  toolchain: ['go version'],
  // Without C, because smart cards need a library of the system.
  fetch: [
    'env CGO_ENABLED=0 go install -p 1 github.com/smallstep/certificates/cmd/step-ca@v0.30.2',
    'env CGO_ENABLED=0 go install -p 1 github.com/smallstep/cli/cmd/step@v0.30.6',
  ],
})

test(
  'step-ca issues certificates with a key in Trent, until the key is disabled',
  { skip: clients.skip || step.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/step.md', [clients, step], {
      stands: { '127.0.0.1:9443': `127.0.0.1:${await freeLoopbackPort()}` },
      notRun: { 'CGO_ENABLED=0 go install': 'the test has both' },
      fails: ['aws kms disable-key'],
    })
    const signed = (await recordsOf(server.directory)).filter(
      ({ eventName, userIdentity }) =>
        eventName === 'Sign' && String(userIdentity['arn']).endsWith(':user/step-ca'),
    )
    const codes = signed.map(({ errorCode }) => errorCode)
    assert.ok(codes.includes('DisabledException'))
    // The certificate of its own address, and those of the two hosts.
    assert.equal(codes.filter((code) => code === undefined).length, 3)
  },
)

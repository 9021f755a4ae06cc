/** The guide to JSON Web Tokens. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide, packagesFor } from './guide.ts'

const clients = await pythonClients()

test(
  'tokens are signed in Trent and verified by jose, across a change of keys',
  clients,
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/jwt.md', [clients], {
      stands: packagesFor('npm install @aws-sdk/client-kms@3.1162.0 jose@6.2.18'),
      fails: ['sed ', 'node jwks.mjs "$next"'],
    })
    const signers = (await recordsOf(server.directory))
      .filter(({ eventName }) => eventName === 'Sign')
      .map(({ userIdentity }) => String(userIdentity['arn']).split(':').at(-1))
    assert.deepEqual(signers, ['user/token-service', 'root'])
  },
)

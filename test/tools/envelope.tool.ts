/** The guide to envelope encryption: three languages open each other's files. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide, packagesFor } from '../guides/guide.ts'
import { goEnvironment } from './go-environment.ts'

const clients = await pythonClients()
const go = await goEnvironment()

test(
  'JavaScript, Python and Go open what the others encrypted, and nothing that was changed',
  { skip: clients.skip || go.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/envelope-encryption.md', [clients], {
      environment: go.environment,
      stands: packagesFor('npm install @aws-sdk/client-kms@3.1162.0'),
      notRun: { 'pip install boto3': 'the Python of this test has both' },
      fails: ['sed \'s/"data"', "sed 's/letters"],
    })
    const made = (await recordsOf(server.directory)).filter(
      ({ eventName }) => eventName === 'GenerateDataKey',
    )
    assert.equal(made.length, 3)
  },
)

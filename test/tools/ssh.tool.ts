/** The guide to SSH: an agent with keys in Trent, built and used as the guide says. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide } from '../guides/guide.ts'
import { goEnvironment } from './go-environment.ts'

const clients = await pythonClients()
const go = await goEnvironment()

test(
  'OpenSSH and git sign with keys in Trent, until they are disabled',
  { skip: clients.skip || go.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/ssh.md', [clients], {
      environment: go.environment,
      notRun: { 'install -m 644 ca.pub /etc/ssh': 'it changes the machine, as root' },
    })
    const signed = (await recordsOf(server.directory)).filter(
      ({ eventName, errorCode }) => eventName === 'Sign' && errorCode === undefined,
    )
    // The certificate and the commit: the file was signed with the user's own key.
    assert.equal(signed.length, 2)
  },
)

/** The guide to GnuPG: it verifies what a program with keys in Trent signs, alone and for git. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide } from '../guides/guide.ts'
import { goEnvironment } from './go-environment.ts'

const clients = await pythonClients()
const go = await goEnvironment()
const hasGpg = spawnSync('gpg', ['--version'], { stdio: 'ignore' }).status === 0

test(
  'GnuPG and git verify OpenPGP signatures of a key in Trent, until it is disabled',
  { skip: clients.skip || go.skip || (!hasGpg && 'there is no GnuPG here') },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/gpg.md', [clients], {
      environment: go.environment,
      fails: ["echo 'release 2' | gpg", 'unset AWS_ACCESS_KEY_ID'],
    })
    const signatures = (await recordsOf(server.directory))
      .filter(({ eventName }) => eventName === 'Sign')
      .map(({ errorCode }) => errorCode ?? 'done')
    // The public key, the release, a commit and a tag.
    assert.deepEqual(signatures, ['done', 'done', 'done', 'done', 'DisabledException'])
  },
)

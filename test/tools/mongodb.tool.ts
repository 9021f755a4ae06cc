/** The guide to MongoDB's encryption of fields, with its driver for Python and FerretDB as the database. @module */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { authorityAndPair } from '../compat/tls-workplace.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { followGuide } from '../guides/guide.ts'
import { temporaryFolder } from '../store/engines.ts'
import { installed } from './installed.ts'

const clients = await pythonClients()
const mongodb = await installed({
  name: 'mongodb',
  toolchain: ['go version', 'python3 --version', "python3 -c print(__import__('sys').base_prefix)"],
  sources: 'mongodb',
  fetch: [
    'go mod download',
    'python3 -m venv venv',
    'venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet ' +
      '--require-hashes --only-binary :all: -r requirements.txt',
  ],
  build: ['go build -p 1 -tags ferretdb_sqlite -o bin/ferretdb .'],
})
const driver = { bin: join(mongodb.folder, 'venv/bin'), skip: mongodb.skip }

test(
  'MongoDB’s driver encrypts fields with data keys from Trent, until the key is disabled',
  { skip: clients.skip || mongodb.skip },
  async (t) => {
    const { ca, settings } = await authorityAndPair(t)
    const address = `127.0.0.1:${await freeLoopbackPort()}`
    const database = spawn(join(mongodb.bin, 'ferretdb'), [address, temporaryFolder(t)], {
      stdio: 'ignore',
    })
    const ended = once(database, 'close')
    t.after(async () => {
      database.kill('SIGKILL')
      await ended
    })
    const { server } = await followGuide(t, 'docs/guides/mongodb.md', [driver, clients], {
      settings,
      environment: { AWS_CA_BUNDLE: ca },
      stands: { '127.0.0.1:27017': address },
      notRun: {
        'python3 -m pip install': 'the Python of this test has it',
        mongosh: 'FerretDB has no partial indexes',
      },
      fails: ['aws kms disable-key --key-id "$next"'],
      before: {
        'as_people python3 people.py make-key': () => {
          assert.equal(database.exitCode, null, 'FerretDB runs')
          return Promise.resolve()
        },
      },
    })
    const ofData = (await recordsOf(server.directory)).flatMap(({ eventName, errorCode }) =>
      eventName === 'Encrypt' || eventName === 'Decrypt' ? [[eventName, errorCode]] : [],
    )
    assert.ok(ofData.some(([name, code]) => name === 'Decrypt' && code === 'DisabledException'))
    // The data key was made and rewrapped, by one call each.
    assert.equal(ofData.filter(([name]) => name === 'Encrypt').length, 2)
  },
)

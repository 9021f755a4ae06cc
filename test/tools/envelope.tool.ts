/** The guide to envelope encryption: five languages open each other's files. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { pythonClients } from '../compat/python-clients.ts'
import { recordsOf } from '../compat/records.ts'
import { followGuide, packagesFor } from '../guides/guide.ts'
import { goEnvironment } from './go-environment.ts'
import { rustEnvironment } from './rust-environment.ts'

const run = promisify(execFile)
const clients = await pythonClients()
const go = await goEnvironment()
const rust = await rustEnvironment('envelope')
const java = await run('mvn', ['--version']).then(
  () => false as const,
  (error: unknown) => `there is no Maven here: ${String(error)}`,
)

test(
  'JavaScript, Python, Go, Java and Rust open what the others encrypted, and nothing that was changed',
  { skip: clients.skip || go.skip || rust.skip || java },
  async (t) => {
    const { server } = await followGuide(t, 'docs/guides/envelope-encryption.md', [clients], {
      environment: { ...go.environment, ...rust.environment },
      stands: packagesFor('npm install @aws-sdk/client-kms@3.1162.0'),
      notRun: { 'pip install boto3': 'the Python of this test has both' },
      before: {
        // A first build is longer than a block of a guide may take.
        'cargo build': async (folder) => {
          await copyFile(
            join(import.meta.dirname, 'rust-envelope.lock'),
            join(folder, 'Cargo.lock'),
          )
          const env = { ...process.env, ...rust.environment }
          await run('nice', ['-n', '19', 'cargo', 'build', '--locked', '--quiet'], {
            cwd: folder,
            env,
          })
        },
      },
      fails: [
        'sed \'s/"data"',
        "java -cp 'lib/*' Envelope.java open changed.json",
        "sed 's/letters",
      ],
    })
    const made = (await recordsOf(server.directory)).filter(
      ({ eventName }) => eventName === 'GenerateDataKey',
    )
    assert.equal(made.length, 5)
  },
)

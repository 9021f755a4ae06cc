/** A user's place of work: a server of its own, a home folder with credentials, and a shell. @module */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { deepEqual } from 'node:assert/strict'
import { CreateKeyCommand, type CreateKeyCommandInput, type KMSClient } from '@aws-sdk/client-kms'
import { credentials, region, startTestServer, type TestServer } from '../harness.ts'
import type { PythonPrograms } from '../python-environment.ts'

export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Workplace {
  readonly server: TestServer
  /** The official SDK for JavaScript on the same server, for what a test needs but is not about. */
  readonly client: KMSClient
  /** The folder that commands run in. */
  readonly folder: string
  /** What commands run with: the folder of programs, the endpoint, the Region and the credentials. */
  readonly environment: Readonly<Record<string, string>>
  /** Runs a Bash script that stops at its first error. */
  readonly shell: (script: string) => Promise<Finished>
  /** The same for a script that must succeed in silence on stderr; answers what it printed. */
  readonly print: (script: string) => Promise<string>
  /** The same, read as JSON. */
  readonly json: (script: string) => Promise<unknown>
  /** Writes a file that commands can name by `file://` and `fileb://`. */
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>
  /** Makes a key without starting a command line, and answers its id. */
  readonly newKey: (input?: CreateKeyCommandInput) => Promise<string>
}

/** Opens a place of work that is gone when the test ends. */
export async function openWorkplace(
  t: TestContext,
  clients: PythonPrograms,
  settings: Parameters<typeof startTestServer>[0] = {},
): Promise<Workplace> {
  const server = await startTestServer(settings)
  t.after(() => server.stop())
  const folder = await mkdtemp(join(tmpdir(), 'trent-workplace-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content, { mode: 0o600 })
    return join(folder, name)
  }
  const profile = `[default]\naws_access_key_id = ${credentials.accessKeyId}\naws_secret_access_key = ${credentials.secretAccessKey}\n`
  const environment = {
    ...userEnvironment(clients, server, folder),
    AWS_SHARED_CREDENTIALS_FILE: await write('credentials', profile),
  }
  const client = server.client()
  const shell = (script: string): Promise<Finished> => runShell(script, folder, environment)
  const print = async (script: string): Promise<string> => {
    const { status, stdout, stderr } = await shell(script)
    deepEqual({ script, status, stderr }, { script, status: 0, stderr: '' })
    return stdout
  }
  return {
    server,
    client,
    folder,
    environment,
    shell,
    print,
    json: async (script) => JSON.parse(await print(script)),
    write,
    async newKey(input = {}) {
      const { KeyMetadata } = await client.send(new CreateKeyCommand(input))
      return KeyMetadata?.KeyId ?? ''
    },
  }
}

/** Nothing of the machine's own AWS settings, and the lines that `trent serve` prints. */
function userEnvironment(
  clients: PythonPrograms,
  server: TestServer,
  folder: string,
): Readonly<Record<string, string>> {
  return {
    PATH: `${clients.bin}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    LANG: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    AWS_ENDPOINT_URL: server.url,
    AWS_REGION: region,
    // What boto3 and version 1 of the AWS CLI read in place of AWS_REGION.
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

async function runShell(
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [status, stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ])
  return { status, stdout, stderr }
}

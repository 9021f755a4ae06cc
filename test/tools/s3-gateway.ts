/** A real S3 server over a folder: the Versity gateway, as its users have it. @module */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { credentials } from '../harness.ts'
import { installed } from './installed.ts'

export const gateway = await installed({
  name: 'versitygw',
  toolchain: ['go version'],
  fetch: ['go install -p 1 github.com/versity/versitygw/cmd/versitygw@v1.8.0'],
})

export interface S3Gateway {
  readonly url: string
  readonly s3: S3Client
  /** What Trent is to be told of it. */
  readonly settings: Readonly<Record<string, string>>
  start(): Promise<void>
  stop(): Promise<void>
}

export const bucket = 'audit-logs'

/** It takes the credentials of Trent's root user: the AWS CLI has one pair for both. */
export async function openGateway(t: TestContext): Promise<S3Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'trent-s3-'))
  const port = await freePort()
  for (const name of ['objects', 'metadata']) await mkdir(join(folder, name))
  const url = `http://127.0.0.1:${port}`
  const s3 = new S3Client({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true })
  let ending: (() => Promise<void>) | undefined
  const opened: S3Gateway = {
    url,
    s3,
    settings: {
      TRENT_S3_ENDPOINT: url,
      TRENT_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      TRENT_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      TRENT_AUDIT_BUCKET: bucket,
    },
    async start() {
      const child = spawn(
        join(gateway.bin, 'versitygw'),
        ['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', 'posix'].concat(
          ['--sidecar', join(folder, 'metadata')],
          join(folder, 'objects'),
        ),
        {
          env: {
            ...process.env,
            ROOT_ACCESS_KEY: credentials.accessKeyId,
            ROOT_SECRET_KEY: credentials.secretAccessKey,
          },
          stdio: 'ignore',
        },
      )
      const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
      ending = () => {
        child.kill()
        return ended
      }
      await answers(url)
    },
    async stop() {
      await ending?.()
      ending = undefined
    },
  }
  t.after(async () => {
    await opened.stop()
    s3.destroy()
    await rm(folder, { recursive: true, force: true })
  })
  return opened
}

export async function makeBucket({ s3 }: S3Gateway, name = bucket): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name }))
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await (await fetch(url)).body?.cancel()
      return
    } catch {
      await sleep(100)
    }
  }
  throw new Error('the gateway does not answer')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      )
    })
  })
}

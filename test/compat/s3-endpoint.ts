/** An S3 server of somebody else's on a free port, for Trent to deliver to. @module */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { freeLoopbackPort } from '../free-port.ts'
import { credentials } from '../harness.ts'

export interface S3Endpoint {
  readonly url: string
  readonly s3: S3Client
  /** What Trent is to be told of it. */
  readonly settings: Readonly<Record<string, string>>
  start(): Promise<void>
  stop(): Promise<void>
}

export const bucket = 'audit-logs'

/** Its command, for a port and a folder that goes with the test. */
export type S3Program = (
  port: number,
  folder: string,
) => Promise<{
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}>

/** It takes the credentials of Trent's root user: the AWS CLI has one pair for both. */
export async function openS3(t: TestContext, programOf: S3Program): Promise<S3Endpoint> {
  const folder = await mkdtemp(join(tmpdir(), 'trent-s3-'))
  const port = await freeLoopbackPort()
  const url = `http://127.0.0.1:${port}`
  const s3 = new S3Client({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true })
  let ending: (() => Promise<void>) | undefined
  const opened: S3Endpoint = {
    url,
    s3,
    settings: {
      TRENT_S3_ENDPOINT: url,
      TRENT_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      TRENT_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      TRENT_AUDIT_BUCKET: bucket,
    },
    async start() {
      const { program, args, env } = await programOf(port, folder)
      const child = spawn(program, args, {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
      ending = () => {
        child.kill()
        return ended
      }
      await answers(url, child)
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

export async function makeBucket({ s3 }: S3Endpoint, name = bucket): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name }))
}

export async function keysIn({ s3 }: S3Endpoint, name = bucket): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: name }))
  return Contents.flatMap(({ Key }) => Key ?? [])
}

/** As it is stored: what the SDK is not told to decode it does not. */
export async function bytesOf({ s3 }: S3Endpoint, key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

/** The most time for a start of Python, in milliseconds, on a machine with much else to do. */
const startMaxMs = 120_000

async function answers(url: string, child: ChildProcess): Promise<void> {
  let errors = ''
  child.stderr?.on('data', (text: Buffer) => (errors = `${errors}${text.toString()}`.slice(-2000)))
  const giveUpAt = performance.now() + startMaxMs
  while (child.exitCode === null && performance.now() < giveUpAt) {
    try {
      await (await fetch(url)).body?.cancel()
      return
    } catch {
      await sleep(100)
    }
  }
  throw new Error(`the S3 server does not start: ${errors}`)
}

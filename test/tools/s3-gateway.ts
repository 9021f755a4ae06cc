/** A real S3 server over a folder: the Versity gateway, as its users have it. @module */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openS3, type S3Endpoint } from '../compat/s3-endpoint.ts'
import { credentials } from '../harness.ts'
import { installed } from './installed.ts'

export const gateway = await installed({
  name: 'versitygw',
  toolchain: ['go version'],
  fetch: ['go install -p 1 github.com/versity/versitygw/cmd/versitygw@v1.8.0'],
})

export async function openGateway(t: TestContext): Promise<S3Endpoint> {
  return openS3(t, async (port, folder) => {
    for (const name of ['objects', 'metadata']) await mkdir(join(folder, name), { recursive: true })
    return {
      program: join(gateway.bin, 'versitygw'),
      args: ['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', 'posix'].concat(
        ['--sidecar', join(folder, 'metadata')],
        join(folder, 'objects'),
      ),
      env: {
        ROOT_ACCESS_KEY: credentials.accessKeyId,
        ROOT_SECRET_KEY: credentials.secretAccessKey,
      },
    }
  })
}

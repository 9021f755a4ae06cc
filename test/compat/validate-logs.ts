/** `aws cloudtrail validate-logs` as AWS ships it, of what a server has delivered to an S3 server. @module */
import { execFile } from 'node:child_process'
import { accountId, credentials, region } from '../harness.ts'

export interface Validated {
  readonly server: { readonly url: string }
  /** Of the S3 server. */
  readonly s3Url: string
  /** Where the Python clients are. */
  readonly bin: string
  readonly from: string
  readonly until: string
}

/** What it says of the operator's trail in one Region, with nothing set but endpoints and credentials. */
export function validateLogs(
  { server, s3Url, bin, from, until }: Validated,
  of: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const arn = `arn:aws:cloudtrail:${region}:${accountId}:trail/trent`
  const times = ['--start-time', from, '--end-time', until]
  const args = ['cloudtrail', 'validate-logs', '--trail-arn', arn, ...times, '--verbose']
  return new Promise((resolve) => {
    execFile(
      `${bin}/aws`,
      [...args, '--region', of],
      {
        env: {
          PATH: process.env['PATH'],
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_ENDPOINT_URL_CLOUDTRAIL: server.url,
          AWS_ENDPOINT_URL_S3: s3Url,
          AWS_EC2_METADATA_DISABLED: 'true',
        },
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, stdout, stderr) =>
        resolve({ status: Number(error?.code ?? 0), text: `${stdout}${stderr}` }),
    )
  })
}

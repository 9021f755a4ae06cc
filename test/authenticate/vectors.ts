/**
 * Reads AWS's Signature Version 4 test suite (2015-08-30), where its folder is there.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The secret access key and the scope of the whole suite. */
export const suite = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 'service',
  timestamp: '20150830T123600Z',
} as const

export interface Vector {
  readonly name: string
  readonly method: string
  readonly target: string
  /** Alternating, latin1, as a parser would have left them: folded lines joined. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** The request's bytes as the suite has them, with the line ends that HTTP asks for. */
  readonly wire: Buffer
  readonly canonicalRequest: string
  readonly stringToSign: string
  readonly authorization: string
}

const folder = join(import.meta.dirname, '../../../shared/vectors/sigv4')

/** Undefined where the suite is not there. */
export function readVectors(): readonly Vector[] | undefined {
  if (!existsSync(folder)) return undefined
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.req'))
    .sort()
    .map((path) => readVector(join(folder, path.slice(0, -'.req'.length))))
}

function readVector(stem: string): Vector {
  const text = (extension: string): string => readFileSync(`${stem}.${extension}`, 'latin1')
  const request = text('req').replaceAll('\r', '')
  const [head, body] = splitOnce(request, '\n\n')
  const [requestLine = '', ...lines] = head.split('\n')
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(requestLine) ?? []
  const name = stem.slice(folder.length + 1)
  const rawHeaders = lines
    .join('\n')
    .replaceAll(/\n +/g, ' ')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => splitOnce(line, ':'))
  // The suite leaves the token out of this one request, and has it in all that follows from it.
  if (name.endsWith('get-vanilla-with-session-token')) {
    const token = /^x-amz-security-token:(.*)$/m.exec(text('creq'))?.[1]
    rawHeaders.push('X-Amz-Security-Token', token ?? '')
  }
  const length = body === '' ? '' : `\nContent-Length:${body.length}`
  const wire = `${head.trimEnd()}${length}`.replaceAll('\n', '\r\n') + `\r\n\r\n${body}`
  return {
    name,
    method,
    target,
    rawHeaders,
    body: Buffer.from(body, 'latin1'),
    wire: Buffer.from(wire, 'latin1'),
    canonicalRequest: text('creq').replaceAll('\r', ''),
    stringToSign: text('sts').replaceAll('\r', ''),
    authorization: text('authz'),
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  if (index === -1) return [text, '']
  return [text.slice(0, index), text.slice(index + separator.length)]
}

/** The options of `trent unseal` that name the port for unsealing of another machine. @module */
import { readFileSync, statSync } from 'node:fs'
import { ConfigError } from '../config.ts'
import type { UnsealPort } from '../operator/client.ts'

export interface PortOptions {
  readonly url?: string
  readonly cacert?: string
  readonly cert?: string
  readonly key?: string
}

const fileBytesMax = 1024 * 1024

/** Undefined without `--url`. @throws {ConfigError} */
export function unsealPortOf({
  url: text,
  cacert,
  cert,
  key,
}: PortOptions): UnsealPort | undefined {
  if (text === undefined) {
    const [odd] = Object.entries({ cacert, cert, key }).filter(([, path]) => path !== undefined)
    if (odd !== undefined) throw new ConfigError(`--${odd[0]} needs --url`)
    return undefined
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.username === '' && url.password === '' && url.pathname === '/'
  if (url?.protocol !== 'https:' || !isPlain || url.search !== '' || url.hash !== '') {
    throw new ConfigError('--url is the address of the port for unsealing: https://HOST:PORT')
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError('--cert and --key need each other')
  }
  return {
    url,
    ...(cacert !== undefined && { ca: pemOf('--cacert', cacert) }),
    ...(cert !== undefined && { cert: pemOf('--cert', cert) }),
    ...(key !== undefined && { key: pemOf('--key', key) }),
  }
}

function pemOf(option: string, path: string): string {
  let text: string
  try {
    const found = statSync(path)
    if (!found.isFile() || found.size > fileBytesMax) throw new Error('no file of PEM')
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${option}: ${path} cannot be read`, { cause })
  }
  if (!text.includes('-----BEGIN ')) throw new ConfigError(`${option}: ${path} holds no PEM`)
  return text
}

/** Reads the URL and the secret of a webhook from the settings. @module */
import { createSecretKey } from 'node:crypto'
import { isIP } from 'node:net'
import type { WebhookTarget } from './webhook.ts'

/** A setting is wrong. The message names it but never quotes its value: a URL may be a secret too. */
export class SettingWrong extends Error {}

/** Accepts an HTTPS URL, or an HTTP URL of this machine. @throws {SettingWrong} */
export function requireUrl(name: string, text: string): void {
  const url = URL.parse(text)
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  const isHere =
    host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)
  if (!isSafe || url.username !== '' || url.password !== '') {
    throw new SettingWrong(`${name} must be an https URL, or an http URL of this machine`)
  }
}

/**
 * Reads the webhook of the settings `name` (its URL) and `<name>_SECRET`.
 * @throws {SettingWrong}
 */
export function readWebhook(
  name: string,
  url: string | undefined,
  secret: string | undefined,
): WebhookTarget | undefined {
  if (url === undefined && secret === undefined) return undefined
  if (url === undefined || secret === undefined) {
    throw new SettingWrong(`${name} and ${name}_SECRET need each other`)
  }
  requireUrl(name, url)
  if (!/^[\x21-\x7e]{16,256}$/.test(secret)) {
    throw new SettingWrong(`${name}_SECRET must be 16 to 256 printable characters`)
  }
  return { url, secret: createSecretKey(Buffer.from(secret)) }
}

/** The settings of external key stores. @module */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { isPrivate } from '../../disk/private.ts'
import { SettingWrong } from '../../webhooks/webhook-settings.ts'
import type { MappedEndpoint, ProxyClientSettings } from './proxy-client.ts'

export const externalProxyNames = [
  'TRENT_XKS_ENDPOINTS',
  'TRENT_XKS_CA',
  'TRENT_XKS_CLIENT_CERT',
  'TRENT_XKS_CLIENT_KEY',
] as const

type Settings = Readonly<Partial<Record<(typeof externalProxyNames)[number], string>>>

/** @throws {SettingWrong} */
export function readExternalProxies(settings: Settings): ProxyClientSettings {
  const { TRENT_XKS_CLIENT_CERT: certificate, TRENT_XKS_CLIENT_KEY: key } = settings
  if ((certificate === undefined) !== (key === undefined)) {
    throw new SettingWrong('TRENT_XKS_CLIENT_CERT and TRENT_XKS_CLIENT_KEY go together')
  }
  return {
    endpoints: endpointsOf(settings.TRENT_XKS_ENDPOINTS),
    authorities: authoritiesOf(settings.TRENT_XKS_CA),
    ...(certificate !== undefined && key !== undefined && { client: clientOf(certificate, key) }),
  }
}

function clientOf(
  certificatePath: string,
  keyPath: string,
): NonNullable<ProxyClientSettings['client']> {
  const certificate = textOf('TRENT_XKS_CLIENT_CERT', certificatePath)
  const key = bytesOf('TRENT_XKS_CLIENT_KEY', keyPath)
  if (!isPrivate(statSync(keyPath))) {
    throw new SettingWrong(`TRENT_XKS_CLIENT_KEY: ${keyPath} is open to other users: chmod 600 it`)
  }
  try {
    createSecureContext({ cert: certificate, key })
  } catch (cause) {
    throw new SettingWrong(
      `TRENT_XKS_CLIENT_CERT: ${certificatePath} is no certificate in PEM, or ${keyPath} is not its key`,
      { cause },
    )
  }
  return { certificate, key }
}

function endpointsOf(text: string | undefined): ReadonlyMap<string, MappedEndpoint> {
  const endpoints = new Map<string, MappedEndpoint>()
  for (const entry of text?.split(',') ?? []) {
    const [, name, bracketed, plain, digits] =
      /^([A-Za-z0-9.-]+)=(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(entry.trim()) ??
      []
    const host = bracketed ?? plain
    const port = Number(digits)
    const isWrong = name === undefined || host === undefined || port < 1 || port > 65_535
    if (isWrong || (bracketed !== undefined && isIP(bracketed) !== 6)) {
      throw new SettingWrong(
        'TRENT_XKS_ENDPOINTS must be hosts and their addresses, separated by commas: ' +
          'xks.example.com=10.0.0.7:8443',
      )
    }
    endpoints.set(name.toLowerCase(), { host, port })
  }
  return endpoints
}

function authoritiesOf(path: string | undefined): readonly string[] {
  if (path === undefined) return []
  const text = textOf('TRENT_XKS_CA', path)
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (found.length === 0 || !found.every(isCertificate)) {
    throw new SettingWrong(`TRENT_XKS_CA: ${path} holds no certificates in PEM`)
  }
  return found
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}

function textOf(name: string, path: string): string {
  return bytesOf(name, path).toString('utf8')
}

function bytesOf(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new SettingWrong(`${name}: ${path} cannot be read`, { cause })
  }
}

/**
 * `trent verify-database`: checks whether a database is whole: a file that no server has open, or one in
 * PostgreSQL, from one snapshot. It changes nothing.
 * @module
 */
import { Kysely } from 'kysely'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openDigestKey } from '../audit/delivery/digest-keys.ts'
import { type Config, loadConfig } from '../config.ts'
import { keyringOf, openDomainKeys } from '../crypto/domain-keys.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { openMaterial } from '../crypto/material.ts'
import { openProxySecret } from '../crypto/key-store-secret.ts'
import { openProxyCredential } from '../crypto/proxy-credential.ts'
import { openServiceSecret, openSigningSecret } from '../crypto/secrets.ts'
import { sealOf } from '../seals/choose.ts'
import { fileSeal } from '../seals/file.ts'
import type { Seal } from '../seals/seal.ts'
import { type Database, type Engine, SchemaChanged } from '../store/database.ts'
import { placeOf, readPostgres } from '../store/postgres/read-postgres.ts'
import { deploymentIn } from '../store/tables/deployment.ts'
import type { Schema } from '../store/schema/schema.ts'
import { accessKeys, services } from '../store/schema/accounts.ts'
import { digestKeys } from '../store/schema/audit.ts'
import { customKeyStores } from '../store/schema/key-stores.ts'
import { keyMaterials } from '../store/schema/materials.ts'
import { proxyCredentials } from '../store/schema/served-proxies.ts'
import { sqliteDialect } from '../store/sqlite/sqlite-dialect.ts'
import { inlineClient } from '../store/sqlite/sqlite-inline.ts'
import { failureOf, isDamage } from '../store/sqlite/sqlite-failure.ts'
import { openReadOnly, type SqliteConnection } from '../store/sqlite/sqlite.ts'
import { verifyVersions } from '../store/verify/verify-versions.ts'
import { verifyNamed, verifyOpening, verifyTags } from '../store/verify/verify-rows.ts'
import {
  type Finding,
  requireSchema,
  verifyPages,
  verifyReferences,
} from '../store/verify/verify-structure.ts'
import { inJson, visible } from '../model/visible.ts'
import { isBesideData } from '../seals/setting.ts'
import { openSealed, readSecret, type AskSecret } from './secret-input.ts'

export interface VerifyDatabaseOptions {
  /** The path of a file, or the URL of a database in PostgreSQL. */
  readonly database: { readonly file: string } | { readonly url: string }
  /** The seal of the root key. */
  readonly seal: Seal
  /** Gets what people give to open it, one secret at a time. */
  readonly askSecret: AskSecret
  /** Prints the report as one JSON object. */
  readonly json: boolean
  readonly output: { readonly write: (text: string) => unknown }
}

type SealedBy = Pick<VerifyDatabaseOptions, 'seal' | 'askSecret'>

interface Report {
  readonly whole: boolean
  /** Rows with a valid tag. */
  readonly rows: number
  /** Wrapped keys and secrets that open. */
  readonly opened: number
  readonly findingCount: number
  readonly findings: readonly Finding[]
}

/** Findings listed in a report. The rest are counted. */
const shownMax = 100

/**
 * Prints the report.
 * @returns the exit status: 0 when the database is whole, 1 when it is not, 2 when it cannot be read
 */
export async function verifyDatabase(options: VerifyDatabaseOptions): Promise<number> {
  const { database, json, output } = options
  const file = 'file' in database ? resolve(database.file) : placeOf(database.url)
  try {
    const report = await ('file' in database
      ? verifiedFile(file, options)
      : readPostgres(database.url, (query) => verifiedBy({ query, engine: 'postgresql' }, options)))
    output.write(
      json ? inJson({ file, ...report }) : `${asLines(file, report).map(visible).join('\n')}\n`,
    )
    return report.whole ? 0 : 1
  } catch (error) {
    const why = reasonOf(error)
    output.write(
      json
        ? inJson({ file, whole: false, error: why })
        : `cannot verify ${visible(`${file}: ${why}`)}\n`,
    )
    return 2
  }
}

/**
 * The command: verifies the database of the data directory, or the named one. It prints to standard
 * output and sets the exit status.
 * @throws {ConfigError} when it needs the settings and they are wrong
 */
export async function verifyDatabaseCommand(
  configFile: string | undefined,
  file: string | undefined,
  options: { readonly json?: true; readonly sealKey?: string },
): Promise<void> {
  const { sealKey } = options
  const config = (): Config => loadConfig(process.env, configFile)
  const database = file === undefined ? databaseOf(config()) : { file }
  process.exitCode = await verifyDatabase({
    database,
    seal:
      sealKey === undefined ? sealBy(config(), database) : fileSeal(resolve(sealKey), systemRandom),
    askSecret: (shown) => readSecret(shown),
    json: options.json === true,
    output: process.stdout,
  })
}

function databaseOf({
  dataDirectory,
  databaseUrl: url,
}: Config): VerifyDatabaseOptions['database'] {
  return url === undefined ? { file: join(dataDirectory, 'trent.db') } : { url }
}

/** The seal of the settings. Its usual key file is next to a file that is verified. */
function sealBy(
  { seal, dataDirectory }: Config,
  database: VerifyDatabaseOptions['database'],
): Seal {
  if (!('file' in database) || !isBesideData(seal, dataDirectory)) return sealOf(seal, systemRandom)
  return fileSeal(join(dirname(resolve(database.file)), 'seal.key'), systemRandom)
}

async function verifiedFile(file: string, by: SealedBy): Promise<Report> {
  if (!existsSync(file)) throw new Error('the file does not exist')
  let connection: SqliteConnection | undefined
  try {
    connection = openReadOnly(file)
    const query = new Kysely<Schema>({ dialect: sqliteDialect(inlineClient(connection)) })
    return await verifiedBy({ query, engine: 'sqlite' }, by)
  } catch (error) {
    if (!isDamage(error) || !(error instanceof Error)) throw error
    return reportOf([{ table: '', why: error.message }], 0, 0)
  } finally {
    connection?.close()
  }
}

function verifiedBy(database: Pick<Database, 'query' | 'engine'>, by: SealedBy): Promise<Report> {
  return verifyWith(database, () => openKeyring(database.query, by))
}

/** @param open is called once the structure is found to be whole */
export async function verifyWith(
  { query, engine }: Pick<Database, 'query' | 'engine'>,
  open: () => Promise<Keyring>,
): Promise<Report> {
  // With another schema, or with damaged pages, rows prove nothing.
  const schema = await schemaFindings(query, engine)
  if (schema.length > 0) return reportOf(schema, 0, 0)
  const pages = await verifyPages(query, engine)
  if (pages.length > 0) return reportOf(pages, 0, 0)
  const references = await verifyReferences(query)
  const keyring = await open()
  const tags = await verifyTags(query, keyring)
  const opening = await verifyWrapped(query, keyring)
  const named = await verifyNamed(query)
  const versions = await verifyVersions(query, keyring)
  const findings = [...tags.findings, ...versions, ...opening.findings, ...references, ...named]
  return reportOf(findings, tags.genuine, opening.opened)
}

async function schemaFindings(query: Kysely<Schema>, engine: Engine): Promise<readonly Finding[]> {
  try {
    return await requireSchema(query, engine)
  } catch (error) {
    if (!(error instanceof SchemaChanged)) throw error
    return [{ table: '', why: error.message }]
  }
}

/** Opens the seal of the database. */
export async function openKeyring(
  query: Kysely<Schema>,
  { seal: opener, askSecret }: SealedBy,
): Promise<Keyring> {
  const deployment = await deploymentIn(query)
  if (deployment === undefined) throw new Error('it does not belong to a deployment')
  const { deploymentId, seal, domainKeys } = deployment
  const rootKey = await openSealed(opener, seal.sealedRootKey, deploymentId, askSecret)
  return keyringOf(deploymentId, openDomainKeys(rootKey, deploymentId, domainKeys), systemRandom)
}

async function verifyWrapped(
  query: Kysely<Schema>,
  keyring: Keyring,
): Promise<{ readonly findings: readonly Finding[]; readonly opened: number }> {
  const tables = [
    await verifyOpening(query, keyMaterials, (material) => {
      // Deleted imported material has no bytes.
      if (material.wrapped.length > 0) openMaterial(keyring, material)
    }),
    await verifyOpening(query, accessKeys, (key) => openSigningSecret(keyring, key)),
    await verifyOpening(query, services, (service) => openServiceSecret(keyring, service)),
    await verifyOpening(query, proxyCredentials, (each) => openProxyCredential(keyring, each)),
    await verifyOpening(query, customKeyStores, (each) => {
      if (each.proxy !== undefined) openProxySecret(keyring, each, each.proxy.accessKeyId)
    }),
    await verifyOpening(query, digestKeys, (key) => openDigestKey(keyring, key)),
  ]
  return {
    findings: tables.flatMap(({ findings }) => findings),
    opened: tables.reduce((sum, { opened }) => sum + opened, 0),
  }
}

function reportOf(findings: readonly Finding[], rows: number, opened: number): Report {
  return {
    whole: findings.length === 0,
    rows,
    opened,
    findingCount: findings.length,
    findings: findings.slice(0, shownMax),
  }
}

function asLines(file: string, report: Report): readonly string[] {
  const { findings, findingCount, rows, opened, whole } = report
  const hidden = findingCount - findings.length
  return [
    file,
    ...findings.map(
      ({ table, row, why }) =>
        ['BROKEN', ...(table === '' ? [] : [table]), ...(row === undefined ? [] : [row])].join(
          ' ',
        ) + `: ${why}`,
    ),
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
    whole
      ? `whole: ${rows} rows with a genuine tag, ${opened} wrapped keys and secrets that open`
      : 'NOT WHOLE',
  ]
}

function reasonOf(error: unknown): string {
  if (failureOf(error).kind === 'conflict') return 'a server has it open: stop it, or verify a copy'
  return error instanceof Error ? error.message : 'unknown'
}

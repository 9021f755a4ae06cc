/** The settings of a database in PostgreSQL. @module */
import { DatabaseUrlWrong, parseDatabaseUrl } from './database-url.ts'

export interface DatabaseSettings {
  /** `postgres://…`, with a password. The embedded database is used without it. */
  readonly databaseUrl?: string
  /** How long a node decides calls by what it knew at its last confirmation. */
  readonly freshnessSeconds: number
  /** Refuse changes unless a synchronous standby has each of them. */
  readonly requireSynchronous: boolean
}

export const databaseNames = [
  'TRENT_DATABASE_URL',
  'TRENT_FRESHNESS_SECONDS',
  'TRENT_REQUIRE_SYNCHRONOUS',
] as const

/** A setting of the database is wrong. The message names it, and quotes no password. */
export class DatabaseSettingWrong extends Error {}

/** A bound of more than an hour would say nothing. */
const freshnessSecondsMax = 3600

/** @throws {DatabaseSettingWrong} */
export function readDatabaseSettings(
  settings: Readonly<Partial<Record<(typeof databaseNames)[number], string>>>,
): DatabaseSettings {
  const { TRENT_DATABASE_URL: databaseUrl, TRENT_REQUIRE_SYNCHRONOUS: required = 'false' } =
    settings
  const { TRENT_FRESHNESS_SECONDS: freshness = '5' } = settings
  try {
    if (databaseUrl !== undefined) parseDatabaseUrl(databaseUrl)
  } catch (cause) {
    if (!(cause instanceof DatabaseUrlWrong)) throw cause
    throw new DatabaseSettingWrong(`TRENT_DATABASE_URL ${cause.message}`, { cause })
  }
  const freshnessSeconds = /^\d{1,4}$/.test(freshness) ? Number(freshness) : 0
  if (freshnessSeconds < 1 || freshnessSeconds > freshnessSecondsMax) {
    throw new DatabaseSettingWrong(
      `TRENT_FRESHNESS_SECONDS must be a whole number from 1 to ${freshnessSecondsMax}`,
    )
  }
  if (required !== 'true' && required !== 'false') {
    throw new DatabaseSettingWrong('TRENT_REQUIRE_SYNCHRONOUS must be true or false')
  }
  return {
    ...(databaseUrl !== undefined && { databaseUrl }),
    freshnessSeconds,
    requireSynchronous: required === 'true',
  }
}

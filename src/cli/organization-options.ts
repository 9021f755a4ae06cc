/** Options of `trent account create` and `update` for an organisation: ids, and policy files. @module */
import { readFile, stat } from 'node:fs/promises'
import { ConfigError } from '../config.ts'

export interface OrganizationOptions {
  readonly org?: string
  readonly ou?: string
  /** By level; false removes all. */
  readonly scp?: readonly (readonly string[])[] | false
  readonly rcp?: readonly (readonly string[])[] | false
}

interface GivenOrganization {
  readonly organizationId: string | undefined
  readonly organizationUnit: string | undefined
  readonly serviceControlPolicies: readonly (readonly string[])[] | undefined
  readonly resourceControlPolicies: readonly string[] | undefined
}

/** Collects `--scp root.json --scp unit.json,more.json`: each occurrence is one level. */
export function collectLevel(
  files: string,
  before: readonly (readonly string[])[] = [],
): readonly (readonly string[])[] {
  return [...before, files.split(',')]
}

/** @throws {ConfigError} when a file cannot be read */
export async function readOrganization({
  org,
  ou,
  scp,
  rcp,
}: OrganizationOptions): Promise<GivenOrganization> {
  return {
    organizationId: org,
    organizationUnit: ou?.replace(/\/$/, ''),
    serviceControlPolicies: await policiesOf(scp),
    resourceControlPolicies: (await policiesOf(rcp))?.flat(),
  }
}

async function policiesOf(
  levels: OrganizationOptions['scp'],
): Promise<readonly (readonly string[])[] | undefined> {
  if (levels === false) return []
  return levels && Promise.all(levels.map((files) => Promise.all(files.map(readPolicyFile))))
}

/** No policy is this large. A larger file is the wrong file. */
const fileBytesMax = 65_536

async function readPolicyFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, more than ${fileBytesMax}`)
    return await readFile(path, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`the policy ${path} cannot be read: ${why}`)
  }
}

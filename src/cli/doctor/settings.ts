/** Checks the settings, and the files that they are in. @module */
import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { type Config, loadConfig, settingsFile } from '../../config.ts'
import { wrongClientSecrets } from '../../console/client-secret.ts'
import { isPrivate } from '../../disk/private.ts'
import { look, ok, type Finding, type Outcome } from './finding.ts'

const writableByOthers = 0o022
const secretLine = /^\s*TRENT_(?:\w*(?:SECRET|TOKEN)\w*|DATABASE_URL)\s*=\s*\S/m

const testContainer: Outcome = {
  state: 'warning',
  found: 'TRENT_TEST_API=container: anyone who reaches the port can empty the store',
  todo: 'use it for tests alone',
}

/** Without a configuration, nothing else can be checked. */
export async function checkSettings(
  environment: NodeJS.ProcessEnv,
  configFile: string | undefined,
): Promise<{ readonly config?: Config; readonly findings: readonly Finding[] }> {
  let config: Config | undefined
  const todo = 'correct it: docs/reference/settings.md has every setting'
  const findings = await look('settings', todo, async () => {
    config = loadConfig(environment, configFile)
    const path = settingsFile(environment, configFile)
    return [
      ok(path === undefined ? 'from the environment' : `from ${path} and the environment`),
      ...(path === undefined ? [] : await exposed(path)),
      ...(config.testContainer === undefined ? [] : [testContainer]),
      ...(config.applyFile === undefined ? [] : await readable(config.applyFile)),
      ...(config.console ? await unusableSecrets(config.signInProviders) : []),
    ]
  })
  return { findings, ...(config && { config }) }
}

async function exposed(path: string): Promise<readonly Outcome[]> {
  const found = await stat(path)
  const todo = `chmod 600 ${path}, and change secrets that others may have read`
  if ((found.mode & writableByOthers) !== 0) {
    return [{ state: 'warning', found: `other users may write to ${path}`, todo }]
  }
  if (isPrivate(found) || !secretLine.test(await readFile(path, 'utf8'))) return []
  return [{ state: 'warning', found: `other users may read the secrets in ${path}`, todo }]
}

async function readable(applyFile: string): Promise<readonly Outcome[]> {
  try {
    await access(applyFile, constants.R_OK)
    return []
  } catch (error) {
    const found = `TRENT_APPLY: ${error instanceof Error ? error.message : applyFile}`
    return [{ state: 'failed', found, todo: 'put the file there, or correct the setting' }]
  }
}

async function unusableSecrets(providers: Config['signInProviders']): Promise<readonly Outcome[]> {
  const todo = 'put the secret of the client there, readable by the user of the server alone'
  const wrong = await wrongClientSecrets(providers)
  return wrong.map((found) => ({ state: 'failed', found, todo }))
}

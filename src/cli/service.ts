/** `trent service register`, `list` and `deregister`, through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { ListedServices } from '../operations/trent/list-services.ts'
import type { RegisteredService } from '../operations/trent/register-service.ts'
import { printed } from './printed.ts'

export async function registerService(
  configFile: string | undefined,
  name: string,
  options: { readonly json?: true; readonly region: string; readonly host?: readonly string[] },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { region, host: hosts } = options
    const answer = await callOperator(operatorDirectory, 'RegisterService', { name, region, hosts })
    return [answer as RegisteredService, credentials] // the same program answers
  })
}

/** In the format of a shared credentials file. */
function credentials({ name, region, ...service }: RegisteredService): string {
  const { hosts, accessKeyId, secretAccessKey } = service
  return [
    `# ${name} in ${region}, reached as ${hosts.join(', ')}: the secret is shown only once`,
    `[${name}]`,
    `region = ${region}`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    '',
  ].join('\n')
}

export async function deregisterService(
  configFile: string | undefined,
  name: string,
  options: { readonly json?: true; readonly region: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { region } = options
    const answer = await callOperator(operatorDirectory, 'DeregisterService', { name, region })
    return [answer, (): string => `${name} in ${region}: its credentials and sessions have ended\n`]
  })
}

export async function listServices(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const answer = (await callOperator(operatorDirectory, 'ListServices')) as ListedServices
    return [answer, table]
  })
}

function table({ services }: ListedServices): string {
  const lines = services.map(
    ({ name, region, accessKeyId, createdAt, hosts }) =>
      `${name}  ${region}  ${accessKeyId}  ${createdAt}  ${hosts.join(' ')}\n`,
  )
  return lines.join('')
}

/** Environment variables that Kubernetes gives a container for each Service of its namespace. @module */
import { isIP } from 'node:net'

const number = /^\d{1,5}$/
const address = /^(?:tcp|udp|sctp):\/\/[\d.:[\]a-f]+$/i

/**
 * Whether Kubernetes set the variable because of a Service with a name like `trent`. Its value must be
 * what Kubernetes writes, so that no misspelt setting passes for one.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function isServiceVariable(name: string, value = ''): boolean {
  if (/_SERVICE_HOST$|_PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/.test(name)) return isIP(value) !== 0
  if (/_PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/.test(name)) return /^(?:tcp|udp|sctp)$/i.test(value)
  if (/_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/.test(name))
    return number.test(value)
  return /_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/.test(name) && address.test(value)
}

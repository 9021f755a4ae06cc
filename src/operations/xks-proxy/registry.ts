/** Every operation of the XKS proxy API. @module */
import { registryOf } from '../contract/registry.ts'
import { decrypt } from './decrypt.ts'
import { encrypt } from './encrypt.ts'
import { getHealthStatus } from './get-health-status.ts'
import { getKeyMetadata } from './get-key-metadata.ts'

export const xksProxyRegistry = registryOf([decrypt, encrypt, getHealthStatus, getKeyMetadata])

/** The operation of the Resource Groups Tagging API that Trent serves. @module */
import { registryOf } from '../contract/registry.ts'
import { getResources } from './get-resources.ts'

export const taggingRegistry = registryOf([getResources])

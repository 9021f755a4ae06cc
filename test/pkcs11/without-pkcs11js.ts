/** Loaded into the child process of a token: there the package `pkcs11js` is not installed. @module */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'pkcs11js') return next(specifier, context)
    const error = new Error("Cannot find package 'pkcs11js'")
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' })
  },
})

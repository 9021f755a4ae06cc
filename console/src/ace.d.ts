/** Ace's modules have types only for their entry point. @module */
declare module 'ace-builds/src-noconflict/ace' {
  const ace: { readonly config: { set(name: string, value: unknown): void } }
  export default ace
}
declare module 'ace-builds/src-noconflict/mode-json'
declare module 'ace-builds/src-noconflict/theme-cloud_editor'
declare module 'ace-builds/src-noconflict/theme-cloud_editor_dark'
declare module 'ace-builds/src-noconflict/ext-language_tools'

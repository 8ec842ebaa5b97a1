// In place of Grafana's editors and maps, which are never shown here (vite.config.js).
const Nothing = () => null;
export const ReactMonacoEditor = Nothing;
export const OpenLayersProvider = Nothing;
export const CodeEditor = Nothing;
export default Nothing;

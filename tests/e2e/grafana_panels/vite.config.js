// One bundle that needs nothing from anywhere else: Grafana's components, and under public/ the icons and fonts that they ask for by name.
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");
const FONTS = {
  "inter/Inter-Regular.woff2": "inter/files/inter-latin-400-normal.woff2",
  "inter/Inter-Medium.woff2": "inter/files/inter-latin-500-normal.woff2",
  "inter/Inter-Italic.woff2": "inter/files/inter-latin-400-italic.woff2",
  "inter/Inter-MediumItalic.woff2": "inter/files/inter-latin-500-italic.woff2",
  "roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2": "roboto-mono/files/roboto-mono-latin-400-normal.woff2",
};

// Editors and maps, loaded by components that are never shown: leaving them out saves half of the build.
const UNUSED = [/^\.\/ReactMonacoEditor\.mjs$/, /^\.\/OpenLayersProvider\.mjs$/, /^\.\/CodeEditor\.mjs$/];

const assets = {
  name: "grafana-assets",
  writeBundle() {
    const out = join(here, "dist", "public");
    cpSync(join(packages, "@grafana/ui/dist/public/img/icons"), join(out, "build/img/icons"), { recursive: true });
    for (const [name, from] of Object.entries(FONTS)) {
      mkdirSync(dirname(join(out, "fonts", name)), { recursive: true });
      cpSync(join(packages, "@fontsource", from), join(out, "fonts", name));
    }
  },
};

export default defineConfig({
  root: here,
  base: "./",
  plugins: [assets],
  define: { "process.env.NODE_ENV": '"production"' },
  resolve: { alias: UNUSED.map((find) => ({ find, replacement: join(here, "src/unused.ts") })) },
  esbuild: { jsx: "automatic", legalComments: "none" },
  build: { target: "chrome110", sourcemap: false, reportCompressedSize: false, chunkSizeWarningLimit: 20000 },
});

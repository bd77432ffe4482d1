// Jest does not apply its module mapping to global setup files, so TypeScript is loaded through tsx here.
module.exports = async () => {
  const { tsImport } = await import('tsx/esm/api');
  const { startTestPostgres } = await tsImport('./test-postgres.ts', __filename);
  const server = await startTestPostgres();
  Object.assign(process.env, server.variables);
  globalThis.slipwayTestPostgres = server;
};

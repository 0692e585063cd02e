// Starts Swagger UI on our own document. A file of its own because the page allows no script inside it.
'use strict';

/** A cookie of this site, for the token that writing requests of a browser repeat. */
function cookie(name) {
  for (const part of document.cookie.split('; ')) {
    const at = part.indexOf('=');
    if (part.slice(0, at) === name) {
      return decodeURIComponent(part.slice(at + 1));
    }
  }
  return null;
}

window.SwaggerUIBundle({
  dom_id: '#docs',
  url: '/api/v1/openapi.json',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const token = cookie('opsflux_csrf');
    if (token && !request.headers.Authorization) {
      request.headers['X-CSRF-Token'] = token;
    }
    return request;
  },
});

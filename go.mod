module corinfo

go 1.26

library(jsonlite)
source(file.path("lib", "x.R"))
lapply(c("cli"), library, character.only = TRUE)
x <- r"--(a)--"; system("ls -l") # end
import::from(dplyr, n)
